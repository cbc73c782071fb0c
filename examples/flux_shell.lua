-- For the shell of Flux: the memory of every task follows it, as long as the task runs.
--
--   flux run -o userrc=flux_shell.lua --env=PYMIGRATE_FOLLOW=--rate=1G ./solver
--
-- or, for all jobs, in /etc/flux/shell/lua.d/. The shell runs as the user of the job, and calls this
-- when it has forked a task, with the pid of it (flux-shell-initrc(5), flux-shell-plugins(7)). Only
-- those are followed who ask for it.

plugin.register {
    name = "pymigrate-follow",
    handlers = {
        {
            topic = "task.fork",
            fn = function ()
                local options = shell.getenv ("PYMIGRATE_FOLLOW")
                if options then
                    -- In a session of its own, so that the shell does not take it for a task's.
                    local command = "setsid pymigrate follow %s %d </dev/null >/dev/null 2>&1 &"
                    os.execute (command:format (options, task.info.pid))
                end
            end
        },
    },
}
