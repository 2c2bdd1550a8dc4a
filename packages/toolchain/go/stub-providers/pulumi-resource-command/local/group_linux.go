package local

import "syscall"

// newGroup also ends the command when this process is killed: outside of our group, nothing else would.
func newGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
