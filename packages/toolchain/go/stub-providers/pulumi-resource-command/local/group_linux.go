package local

import "syscall"

// newGroup starts the command in a process group of its own. Pdeathsig ends the command if this process is killed.
func newGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
