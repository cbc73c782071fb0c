-- For the shell of Flux: the memory of every task follows it, as long as the task runs.
--
--   flux run -o userrc=flux_shell.lua --env=PYMIGRATE_FOLLOW=--rate=1G ./solver
--
-- or, for all jobs, in /etc/flux/shell/lua.d/. The shell runs as the user of the job, and calls this
-- when it has forked a task, with the pid of it (flux-shell-initrc(5), flux-shell-plugins(7)). Only
-- those are followed who ask for it; PYMIGRATE_FOLLOW_LOG names a file for what followers tell. Where
-- none can be started the job ends.

local PYMIGRATE = "/opt/pymigrate/bin/pymigrate" -- the shell need not have the PATH of its user

local function quoted (text)
    return "'" .. text:gsub ("'", "'\\''") .. "'"
end

local function succeeds (command)
    local status = os.execute (command)
    return status == 0 or status == true -- by Lua 5.1, and by later ones
end

local function follow (pid, options)
    if not succeeds ("test -x " .. quoted (PYMIGRATE)) then
        shell.die ("pymigrate-follow: there is no " .. PYMIGRATE .. " to be run")
    end
    local log = shell.getenv ("PYMIGRATE_FOLLOW_LOG") or "/dev/null"
    -- In a session of its own, so that the shell does not take it for a task's.
    local command = "exec </dev/null >>%s 2>&1 && { setsid %s follow %s %d & }"
    if not succeeds (command:format (quoted (log), quoted (PYMIGRATE), options, pid)) then
        shell.die ("pymigrate-follow: no follower by PYMIGRATE_FOLLOW=" .. options
            .. " and PYMIGRATE_FOLLOW_LOG=" .. log)
    end
end

plugin.register {
    name = "pymigrate-follow",
    handlers = {
        {
            topic = "task.fork",
            fn = function ()
                local options = shell.getenv ("PYMIGRATE_FOLLOW")
                if options then
                    follow (task.info.pid, options)
                end
            end
        },
    },
}
