//! The documents point at files that exist: a "where is it" that has rotted is worse than none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A finding for each relative link in README.md and docs/ that leads nowhere.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for document in documents(root)? {
        let text =
            fs::read_to_string(&document).with_context(|| format!("cannot read {}", document.display()))?;
        let folder = document.parent().unwrap_or(root);
        let shown = document.strip_prefix(root).unwrap_or(&document).display().to_string();
        for target in targets(&text) {
            if !folder.join(target).exists() {
                findings.push(format!("{shown} points at {target}, which does not exist"));
            }
        }
    }
    Ok(findings)
}

/// README.md and every Markdown file under docs/.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> =
        [root.join("README.md")].into_iter().filter(|readme| readme.exists()).collect();
    let mut waiting: Vec<PathBuf> = [root.join("docs")].into_iter().filter(|docs| docs.exists()).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The files that the Markdown links and images of `text` point at, without anchors; not the addresses of the web.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .filter_map(|(target, _)| target.split('#').next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_images_that_lead_nowhere() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("docs/images")).unwrap();
        fs::write(root.path().join("docs/images/a.png"), "").unwrap();
        fs::write(
            root.path().join("README.md"),
            "![a](docs/images/a.png) [b](docs/b.md#part) [web](https://b.example)",
        )
        .unwrap();
        fs::write(
            root.path().join("docs/c.md"),
            "[up](../README.md), [here](#part), [a](images/a.png) [x](x.md)",
        )
        .unwrap();
        let findings = check(root.path()).unwrap();
        let expected = [
            "README.md points at docs/b.md, which does not exist",
            "docs/c.md points at x.md, which does not exist",
        ];
        assert_eq!(findings, expected);
    }
}
