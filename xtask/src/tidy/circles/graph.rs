//! Circles in a graph of names.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A graph: the names that each name has arrows to.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// A shortest circle of each strongly connected component, starting with the first of its names.
pub(super) fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for name in graph.keys() {
        if seen.contains(name) {
            continue;
        }
        let part: Vec<&String> =
            reached(graph, name).into_iter().filter(|other| reached(graph, other).contains(name)).collect();
        seen.extend(part.iter().map(|name| (*name).clone()));
        circles.extend(part.into_iter().filter_map(|name| circle(graph, name)).min_by_key(Vec::len));
    }
    circles
}

fn reached<'a>(graph: &'a Graph, from: &'a str) -> BTreeSet<&'a String> {
    before(graph, from).into_keys().collect()
}

/// A shortest circle through a name, starting with it.
fn circle(graph: &Graph, name: &str) -> Option<Vec<String>> {
    let before = before(graph, name);
    let mut circle = vec![name.to_owned()];
    let mut at = *before.get(&name.to_owned())?;
    while at != name {
        circle.insert(1, at.to_owned());
        at = before[&at.to_owned()];
    }
    Some(circle)
}

/// Every reachable name, and the one before it on a shortest path.
fn before<'a>(graph: &'a Graph, from: &'a str) -> BTreeMap<&'a String, &'a str> {
    let mut before = BTreeMap::new();
    let mut next = VecDeque::from([from]);
    while let Some(at) = next.pop_front() {
        for to in graph.get(at).into_iter().flatten() {
            before.entry(to).or_insert_with(|| {
                next.push_back(to);
                at
            });
        }
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expect(arrows: &[(&str, &str)], expected: &[&[&str]]) {
        let mut graph = Graph::new();
        for (from, to) in arrows {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        assert_eq!(circles(&graph), expected);
    }

    #[test]
    fn graph__acyclic__has_no_circle() {
        expect(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], &[]);
    }

    #[test]
    fn graph__several_circles__gives_shortest_of_each() {
        expect(
            &[("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("d", "c"), ("d", "x"), ("x", "y"), ("y", "x")],
            &[&["c", "d"], &["x", "y"]],
        );
        expect(&[("a", "b"), ("b", "c"), ("c", "a")], &[&["a", "b", "c"]]);
    }
}
