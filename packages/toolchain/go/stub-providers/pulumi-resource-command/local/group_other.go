//go:build unix && !linux

package local

import "syscall"

// newGroup starts the command in a process group of its own.
func newGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
