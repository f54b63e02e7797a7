//! The Python package for agents: its types, and what its wheel and its source distribution are made of.

use std::fs;
use std::path::{Path, PathBuf};

use agent_tests::pythons::SUPPORTED;

use crate::environment::run_in_python;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace")
}

/// A folder of this test's own, which is empty.
fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("created");
    folder
}

/// What the guide's reader brings along.
const SHOP: &str = "\
async def look_up_price() -> int:
    return 3

def charge(price: int) -> str:
    return f'paid {price}'
";

/// The Python blocks of the guide as the files that a reader has at its end.
fn write_guide_to(folder: &Path) -> [PathBuf; 2] {
    let guide = fs::read_to_string(root().join("docs/guides/python.md")).expect("the guide");
    let blocks = guide.split("```python\n").skip(1).map(|rest| rest.split("```").next().expect("its end"));
    let (tests, agents): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.contains("def test_"));
    assert!(agents.len() > 2 && tests.len() == 1, "the blocks of the guide are not found any more");
    fs::write(folder.join("shop.py"), SHOP).expect("written");
    let files = [folder.join("app.py"), folder.join("test_app.py")];
    for (file, blocks) in files.iter().zip([agents, tests]) {
        fs::write(file, blocks.join("\n")).expect("written");
    }
    files
}

#[tokio::test]
async fn types__of_the_package_and_of_its_users__are_strict() {
    let folder = empty_folder("guide");
    let guide = write_guide_to(&folder);
    let python = root().join("python");
    let files = [python.join("agent_server"), python.join("tests/typed.py")].into_iter().chain(guide);
    let files: Vec<String> = files.map(|file| file.to_str().expect("UTF-8").to_owned()).collect();
    let mut arguments = vec!["--strict", "--no-error-summary", "--python-version", SUPPORTED[0]];
    arguments.extend(files.iter().map(String::as_str));
    let modules = format!("{}:{}", python.display(), folder.display());
    run_in_python("upstream", &[".venv/bin/mypy"], &arguments, &[("MYPYPATH", &modules)]).await;
}

/// Without a build, which takes minutes.
#[tokio::test]
async fn wheel__metadata__is_that_of_the_workspace() {
    let folder = empty_folder("metadata");
    let to = folder.to_str().expect("UTF-8");
    maturin(&["pep517", "write-dist-info", "--metadata-directory", to]).await;
    let version = env!("CARGO_PKG_VERSION");
    let written = folder.join(format!("agent_server-{version}.dist-info"));
    let metadata = fs::read_to_string(written.join("METADATA")).expect("written");
    let expected = [
        "Name: agent-server".to_owned(),
        format!("Version: {version}"),
        format!("Requires-Python: >={}", SUPPORTED[0]),
        "License-Expression: Apache-2.0".to_owned(),
    ];
    for line in expected {
        assert!(metadata.lines().any(|found| found == line), "{line} is missing in:\n{metadata}");
    }
    let wheel = fs::read_to_string(written.join("WHEEL")).expect("written");
    assert!(wheel.contains("Tag: py3-none-"), "it is for every version of Python:\n{wheel}");
}

#[tokio::test]
async fn source_distribution__files__are_those_that_a_build_needs() {
    let folder = empty_folder("sdist");
    maturin(&["sdist", "--out", folder.to_str().expect("UTF-8")]).await;
    let name = format!("agent_server-{}", env!("CARGO_PKG_VERSION"));
    let archive = folder.join(format!("{name}.tar.gz"));
    let list = "import sys, tarfile; print('\\n'.join(tarfile.open(sys.argv[1]).getnames()))";
    let archive = archive.to_str().expect("UTF-8");
    let files = run_in_python("package", &[".venv/bin/python"], &["-c", list, archive], &[]).await;
    let files: Vec<&str> = files.lines().filter_map(|file| file.strip_prefix(&format!("{name}/"))).collect();
    for expected in [
        "Cargo.lock",
        ".cargo/config.toml",
        "rust-toolchain.toml",
        "crates/agent-cli/src/main.rs",
        "crates/agent-workers/src/python/__main__.py",
        "python/agent_server/__init__.py",
        "python/agent_server/py.typed",
    ] {
        assert!(files.contains(&expected), "{expected} is missing in {files:#?}");
    }
    let is_surplus = |file: &&str| file.contains("__pycache__") || file.starts_with("python/tests");
    assert_eq!(files.iter().copied().find(is_surplus), None);
}

/// Runs maturin for the project.
async fn maturin(arguments: &[&str]) {
    let there = "cd \"$0\" && exec \"$OLDPWD/.venv/bin/maturin\" \"$@\"";
    let root = root();
    let program = ["/bin/sh", "-c", there, root.to_str().expect("UTF-8")];
    run_in_python("package", &program, arguments, &[]).await;
}
