//! Reports how a change between two versions of the schemas affects programs written for the older one.

mod schema;

use std::collections::BTreeSet;
use std::fmt;

use crate::json::Json;

/// A difference between an old and a new [`bundle`](super::bundle).
///
/// Readers of the old form break if the new form allows values that the old one did not. Writers break if it rejects
/// values that the old one allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The location: a type's name, then the path to the changed part, separated by dots.
    pub place: String,
    /// What changed, in words.
    pub what: String,
    /// Whether a program that reads the old form may receive an unexpected value.
    pub breaks_readers: bool,
    /// Whether a program that writes the old form may be rejected.
    pub breaks_writers: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.breaks_readers, self.breaks_writers) {
            (false, false) => "breaks nobody",
            (true, false) => "breaks readers of the old form",
            (false, true) => "breaks writers of the old form",
            (true, true) => "breaks readers and writers of the old form",
        };
        write!(f, "{}: {} ({verdict})", self.place, self.what)
    }
}

/// The differences between two bundles, sorted by location. Order, document names and versions are ignored.
pub fn compare(old: &Json, new: &Json) -> Vec<Change> {
    let mut report = Report::default();
    let names: BTreeSet<&String> = [old, new].into_iter().filter_map(types_of).flatten().collect();
    for name in names {
        let find = |bundle: &Json| bundle.get("$defs").and_then(|types| types.get(name)).cloned();
        let place = Place(name.clone());
        match (find(old), find(new)) {
            (Some(old), Some(new)) => schema::compare(&place, &old, &new, &mut report),
            (Some(_), None) => report.add(&place, "the type was removed", true, true),
            _ => report.add(&place, "a new type", false, false),
        }
    }
    report.changes
}

fn types_of(bundle: &Json) -> Option<impl Iterator<Item = &String>> {
    Some(bundle.get("$defs")?.as_object()?.keys())
}

#[derive(Default)]
struct Report {
    changes: Vec<Change>,
}

impl Report {
    fn add(&mut self, place: &Place, what: impl Into<String>, breaks_readers: bool, breaks_writers: bool) {
        self.changes.push(Change {
            place: place.0.clone(),
            what: what.into(),
            breaks_readers,
            breaks_writers,
        });
    }
}

/// A path into the schemas.
struct Place(String);

impl Place {
    fn inside(&self, step: &str) -> Place {
        Place(format!("{}.{step}", self.0))
    }
}
