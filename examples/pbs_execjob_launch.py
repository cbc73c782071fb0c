"""A hook for PBS (OpenPBS, PBS Professional): the memory of a job follows its processes.

    qmgr -c "create hook pymigrate event=execjob_launch"
    qmgr -c "import hook pymigrate application/x-python default pbs_execjob_launch.py"
    qmgr -c "import hook pymigrate application/x-config default pymigrate.json"

with {"python": "/opt/pymigrate/bin/python", "followed": "/opt/pymigrate/followed.py"} in
pymigrate.json. pbs_mom runs it before it executes a program of a job, and takes what the hook makes
of `progname`, `argv` and `env` (PBS Professional Hooks Guide, execjob_launch). The program becomes
the first process of a session, and all of the session is followed (which takes the extra `job` of
pymigrate-numa). Jobs that do not ask for it (qsub -v PYMIGRATE_FOLLOW=--rate=1G) are left alone.
"""

import json

import pbs

event = pbs.event()
if "PYMIGRATE_FOLLOW" in event.env:
    if pbs.hook_config_filename is None:
        event.reject(
            "pbs_execjob_launch.py: import its configuration into the hook, as application/x-config"
        )
    with open(pbs.hook_config_filename) as file:
        where = json.load(file)
    name, *arguments = event.argv
    # -I: the job may have set up another Python for itself (PYTHONHOME, PYTHONPATH).
    wrapper = [where["python"], "-I", where["followed"], "--session", f"--name={name}"]
    event.argv = [*wrapper, event.progname, *arguments]
    event.progname = where["python"]
event.accept()
