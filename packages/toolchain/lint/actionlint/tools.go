//go:build tools

// Package tools pins actionlint, the linter of workflows. See ../../tools/workflowLinters.ts.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
