//! Protobuf code from `proto/joinery/v1`, without a system `protoc`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where the generated code is committed, from the root of the workspace.
const OUT: &str = "proto/src/generated";

/// The root of the workspace that this program belongs to.
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Writes the generated code into the workspace.
pub fn write(root: &Path) -> Result<()> {
    into(root, &root.join(OUT))
}

/// Writes the generated code of the workspace at `root` into the folder `out`.
fn into(root: &Path, out: &Path) -> Result<()> {
    let include = root.join("proto");
    let files = ["joinery/v1/enrollment.proto", "joinery/v1/session.proto"];
    let set = protox::compile(files, [&include]).context("proto/joinery/v1 does not compile")?;
    tonic_prost_build::configure()
        .out_dir(out)
        // Connections are made and taken by `transport`, which knows the peer of each.
        .build_transport(false)
        .bytes(".")
        .compile_fds(set)
        .with_context(|| format!("cannot write {}", out.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_code_is_what_the_protos_say() {
        let fresh = tempfile::tempdir().unwrap();
        let root = workspace_root();
        into(&root, fresh.path()).unwrap();
        for entry in std::fs::read_dir(fresh.path()).unwrap() {
            let entry = entry.unwrap();
            let committed =
                std::fs::read_to_string(root.join(OUT).join(entry.file_name())).unwrap_or_default();
            let new = std::fs::read_to_string(entry.path()).unwrap();
            assert!(committed == new, "{:?} is stale; run `cargo xtask generate`", entry.file_name());
        }
    }
}
