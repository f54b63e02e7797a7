//! The stores of the Python project, measured by a Python script in a virtual environment in the target folder.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Corpus;
use agent_tests::redis::RedisServer;

const SCRIPT: &str = include_str!("upstream.py");
const PACKAGES: [&str; 3] = ["agentscope-runtime==1.0.2", "a2a-sdk<0.4", "mcp<2"];

/// A list of `{operation, backend, size, p50_ms, p99_ms, calls}`.
pub(crate) fn measure(corpus: &Corpus, sizes: &[usize]) -> Result<Vec<Value>> {
    let binary = std::env::current_exe()?;
    let target = binary.parent().and_then(Path::parent).context("no target folder")?;
    let environment = target.join("bench-upstream");
    install(&environment)?;
    let redis = RedisServer::start()?;
    let input = json!({
        "redis": redis.url(), "sizes": sizes, "texts": corpus.texts, "queries": corpus.queries,
        "frequent": corpus.frequent,
    });
    let mut child = Command::new(environment.join("bin/python3"))
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the virtual environment has no Python")?;
    child.stdin.take().context("no input")?.write_all(&serde_json::to_vec(&input)?)?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("upstream's script failed");
    }
    // Upstream may also print something; the figures come last.
    let text = String::from_utf8(output.stdout)?;
    serde_json::from_str(text.lines().last().unwrap_or_default())
        .context("upstream's script printed no figures")
}

/// Creates the virtual environment if it is missing.
fn install(environment: &Path) -> Result<()> {
    let finished = environment.join("installed");
    if finished.exists() {
        return Ok(());
    }
    eprintln!("installing {} for comparison", PACKAGES[0]);
    let mut make = Command::new("python3");
    succeed(make.args(["-m", "venv", "--clear"]).arg(environment))
        .context("could not create the virtual environment")?;
    let mut pip = Command::new(environment.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    succeed(&mut pip).with_context(|| format!("could not install {}", PACKAGES[0]))?;
    Ok(std::fs::write(finished, "")?)
}

fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("could not start `{program}`"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("{}", complaint.trim().lines().last().unwrap_or("it printed no reason").trim_end_matches('.'));
    }
    Ok(())
}
