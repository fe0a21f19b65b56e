"""The groups of commands of dpm, a module each. The app that holds them is `cli`; what they do stands below it."""
