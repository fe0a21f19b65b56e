"""What the staging layer needs beside its SQL texts (sql/staging). No Dagster here."""
