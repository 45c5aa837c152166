//! `cargo xtask tidy`: the rules of the workspace that the compiler does not know.
//!
//! [`rings`] says who may import whom, [`sources`] what may stand in a source file, [`links`] that the documents point
//! at something. Each is a plain function that returns findings; this file gathers the input and prints.

mod links;
mod rings;
mod sources;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What `cargo metadata` says of the workspace, as far as the rules need it.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug, Clone, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

/// One line of a package's dependencies.
#[derive(Debug, Clone, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for ordinary ones, else `dev` or `build`.
    kind: Option<String>,
}

impl Dependency {
    /// Whether it only serves the package's own tests.
    fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// Checks the workspace at `root` and prints what is wrong with it.
pub fn run(root: &Path) -> Result<()> {
    let packages = packages(root)?;
    let mut findings = rings::check(&packages);
    for package in &packages {
        findings.extend(sources::check_package(root, package)?);
    }
    findings.extend(links::check(root)?);
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    if !findings.is_empty() {
        bail!("{} to put right", findings.len());
    }
    println!("tidy: {} crates in order", packages.len());
    Ok(())
}

fn packages(root: &Path) -> Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata cannot be run")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cargo metadata is not as expected")?;
    Ok(metadata.packages)
}
