//! Installing packages on Debian and what derives from it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::steps::output_of;

/// What maintainer scripts ask before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs a package, and says whether this is a machine on which that can be done without questions: one with
/// `apt-get`, as root. No service of the package is started, now or with the machine.
///
/// # Errors
/// If the installation fails.
pub(super) fn install(package: &str) -> Result<bool> {
    let is_root = output_of("id", &["-u"]).is_ok_and(|id| id.trim() == "0");
    if !is_root || output_of("apt-get", &["--version"]).is_err() {
        return Ok(false);
    }
    println!("\n==> apt-get install {package}");
    let _policy = NoServices::declare()?;
    let install = ["install", "--yes", "--no-install-recommends", package];
    // The lists of packages may be old, or not there at all.
    if apt_get(&install).is_err() {
        apt_get(&["update"])?;
        apt_get(&install)?;
    }
    // A machine without systemd has nothing to switch off, and the command may be missing.
    let _ = output_of("systemctl", &["disable", package]);
    Ok(true)
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let command = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    let status = command.context("could not start apt-get")?;
    ensure!(status.success(), "`apt-get {}` failed ({status})", arguments.join(" "));
    Ok(())
}

/// While this exists, no package starts a service. A rule that was there before stays as it is.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    fn declare() -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(POLICY);
        let Ok(mut file) = file else { return Ok(Self { is_ours: false }) };
        let policy = Self { is_ours: true };
        file.write_all(b"#!/bin/sh\nexit 101\n").with_context(|| format!("could not write {POLICY}"))?;
        Ok(policy)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            // If it cannot be removed, nothing can be done here; the next manual installation reports it.
            let _ = fs::remove_file(POLICY);
        }
    }
}
