"""Jobs that span hosts: on the engine that runs them already, one report for all."""
