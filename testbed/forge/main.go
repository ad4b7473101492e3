// Forge runs Gitea as the forge of the test bed: issues, pull requests, webhooks on a loopback port.
package main

import (
	"fmt"
	"os"

	"code.gitea.io/gitea/cmd"
	"code.gitea.io/gitea/modules/setting"
)

const version = "1.26.4"

func main() {
	setting.AppVer = version
	app := cmd.NewMainApp(cmd.AppVersion{Version: version})
	if err := cmd.RunMainApp(app, os.Args...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
