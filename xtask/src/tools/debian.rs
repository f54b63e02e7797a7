//! Installs packages on Debian and its derivatives.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::steps::output_of;

/// The script that maintainer scripts consult before they start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs a package; returns whether this machine can do that without questions, which needs `apt-get` and root. Services
/// of the package are not started, neither now nor at boot.
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
    // The package lists may be outdated or missing.
    if apt_get(&install).is_err() {
        apt_get(&["update"])?;
        apt_get(&install)?;
    }
    // A machine without systemd has nothing to disable, and the command may be missing.
    let _ = output_of("systemctl", &["disable", package]);
    Ok(true)
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let command = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    let status = command.context("could not start apt-get")?;
    ensure!(status.success(), "`apt-get {}` failed ({status})", arguments.join(" "));
    Ok(())
}

/// While this exists, no package starts a service. An existing policy is left unchanged.
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
