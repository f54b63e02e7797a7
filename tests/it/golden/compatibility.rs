//! The table "golden case → differences" of `docs/compatibility.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::differences;

/// The rows, by case.
pub(super) struct Table {
    pub(super) rows: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// Reads the document; every number in the table must be explained in it, and known here.
    pub(super) fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
        let text = std::fs::read_to_string(&path).expect("docs/compatibility.md is there");
        let explained: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("**")?.split_once(". ").map(|(n, _)| n))
            .collect();
        let (_, table) = text.split_once("\n## Golden cases\n").expect("the table has its heading");
        let mut rows = BTreeMap::new();
        for line in table.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let case = cells.next().unwrap_or_default().trim_matches('`').to_owned();
            let numbers: Vec<String> =
                cells.next().unwrap_or_default().split(", ").map(str::to_owned).collect();
            for number in &numbers {
                assert!(explained.contains(number.as_str()), "{case}: {number} is not explained");
                assert!(differences::is_known(number), "{case}: {number} is not known to the test");
            }
            assert!(rows.insert(case.clone(), numbers).is_none(), "{case} is listed twice");
        }
        Table { rows }
    }
}
