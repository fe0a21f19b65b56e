"""Daily profit model: what each funded trading account will probably make or lose today, how sure, and why."""
