//! Finds modules that import each other in a circle. Modules of one folder must not; a module and its submodules may,
//! because they are one unit. Sources are read as text, so names that macros create are unknown here.

mod graph;
mod source;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Result;

use self::graph::Graph;
use self::source::Module;
use super::Violation;

/// Through how many imports an item is followed; more mean a circle of imports, which does not compile.
const MOST_STEPS: usize = 16;

/// The modules of a crate, by their paths; the root has the empty path.
struct Tree(BTreeMap<Vec<String>, Node>);

struct Node {
    file: String,
    module: Module,
}

/// A place where a module names another.
struct Place {
    file: String,
    line: usize,
}

/// Checks the crate whose root is this file. `read` returns the text at a path, or nothing if there is no such file.
pub(super) fn check(root: &str, read: &dyn Fn(&str) -> Result<Option<String>>) -> Result<Vec<Violation>> {
    let mut tree = Tree(BTreeMap::new());
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    tree.load(Vec::new(), root, folder, read)?;
    Ok(tree.edges().iter().flat_map(|(folder, places)| circles(folder, places)).collect())
}

/// The circles among the modules of one folder.
fn circles(folder: &[String], places: &BTreeMap<(String, String), Place>) -> Vec<Violation> {
    let mut graph = Graph::new();
    for (from, to) in places.keys() {
        graph.entry(from.clone()).or_default().insert(to.clone());
    }
    let name = |name: &String| [folder, std::slice::from_ref(name)].concat().join("::");
    let violation = |circle: Vec<String>| {
        let ends = circle.iter().cycle().skip(1);
        let edges: Vec<_> = circle.iter().cloned().zip(ends.cloned()).collect();
        let way: Vec<_> = circle.iter().chain(&circle[..1]).map(name).collect();
        let at: Vec<_> = edges.iter().map(|edge| places[edge].to_string()).collect();
        let message = format!(
            "modules import each other in a cycle: {}; move what they share into a separate module (imports: {})",
            way.join(" -> "),
            at.join(", ")
        );
        let first = &places[&edges[0]];
        Violation::new(&first.file, first.line, message)
    };
    graph::circles(&graph).into_iter().map(violation).collect()
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

impl Tree {
    /// Adds a file, and the files of the modules that it declares, which are in `folder`.
    fn load(
        &mut self,
        path: Vec<String>,
        file: &str,
        folder: &str,
        read: &dyn Fn(&str) -> Result<Option<String>>,
    ) -> Result<()> {
        let Some(text) = read(file)? else { return Ok(()) };
        for (inner, module) in source::read(&text) {
            let path = [path.clone(), inner.clone()].concat();
            for name in &module.declared {
                let mut parts = vec![folder.to_owned()];
                parts.extend(inner.iter().chain([name]).cloned());
                let folder = parts.join("/");
                let child = path.iter().chain([name]).cloned().collect();
                self.load(child, &format!("{folder}.rs"), &folder, read)?;
            }
            self.0.insert(path, Node { file: file.to_owned(), module });
        }
        Ok(())
    }

    /// For each folder, which of its modules name which others, and where each does so first.
    fn edges(&self) -> BTreeMap<Vec<String>, BTreeMap<(String, String), Place>> {
        let mut edges: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (from, node) in &self.0 {
            let imports = node.module.imports.iter().map(|import| (&import.path, import.line));
            let paths = node.module.paths.iter().map(|(path, line)| (path, *line));
            for (path, line) in imports.chain(paths) {
                let Some(to) = self.resolve(from, path, 0) else { continue };
                let shared = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
                if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                    let folder = edges.entry(from[..shared].to_vec()).or_default();
                    let place = || Place { file: node.file.clone(), line };
                    folder.entry((one.clone(), other.clone())).or_insert_with(place);
                }
            }
        }
        edges
    }

    /// The module that a path in a module leads to: the one that defines the item, after following all re-exports. Nothing
    /// if the path leads out of the crate.
    fn resolve(&self, from: &[String], path: &[String], steps: usize) -> Option<Vec<String>> {
        let mut at = from.to_vec();
        let mut rest = path;
        while let [first, after @ ..] = rest {
            match first.as_str() {
                "crate" => at.clear(),
                "super" => {
                    at.pop()?;
                }
                "self" => {}
                _ => break,
            }
            rest = after;
        }
        let is_relative = rest.len() == path.len();
        let mut passed = 0;
        while let Some(name) = rest.get(passed) {
            let child: Vec<_> = at.iter().chain([name]).cloned().collect();
            if !self.0.contains_key(&child) {
                break;
            }
            at = child;
            passed += 1;
        }
        let is_inside = !is_relative || passed > 0;
        let Some(name) = rest.get(passed) else { return Some(at) };
        let next =
            if steps < MOST_STEPS { self.passed_on(&at, name, &rest[passed + 1..], steps + 1) } else { None };
        // An item of another crate counts as belonging to the module that re-exports it.
        next.or_else(|| is_inside.then_some(at))
    }

    /// The module of a name that a module imports but does not define, with the rest of the path.
    fn passed_on(
        &self,
        module: &[String],
        name: &String,
        rest: &[String],
        steps: usize,
    ) -> Option<Vec<String>> {
        let Module { imports, defined, .. } = &self.0.get(module)?.module;
        if let Some(import) = imports.iter().find(|import| import.name.as_ref() == Some(name)) {
            let path = [&import.path, rest].concat();
            return (import.path != [name.clone()]).then(|| self.resolve(module, &path, steps))?;
        }
        if defined.contains(name) {
            return None;
        }
        let globs = imports.iter().filter(|import| import.name.is_none());
        let modules = globs.filter_map(|import| self.resolve(module, &import.path, steps));
        let paths = modules.filter(|glob| glob != module).map(|glob| (self.has(&glob, name), glob));
        let glob = paths.filter_map(|(has, glob)| has.then_some(glob)).next()?;
        self.resolve(&glob, &[&["self".to_owned(), name.clone()], rest].concat(), steps)
    }

    /// Whether a module defines or imports an item of this name.
    fn has(&self, module: &[String], name: &String) -> bool {
        self.0.get(module).is_some_and(|node| {
            let imported = node.module.imports.iter().any(|import| import.name.as_ref() == Some(name));
            imported || node.module.defined.contains(name) || node.module.declared.contains(name)
        })
    }
}

#[cfg(test)]
mod tests;
