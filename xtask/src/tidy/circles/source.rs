//! Reads the modules of a source file as text: which modules it declares, and what it imports, defines and names.

use std::collections::{BTreeMap, BTreeSet};

/// One module: a file, or an inline module. Code that is only compiled for tests is ignored.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The modules that it declares as files: `mod name;`.
    pub(super) declared: Vec<String>,
    pub(super) imports: Vec<Import>,
    /// The paths in its code, and their lines.
    pub(super) paths: Vec<(Vec<String>, usize)>,
    /// The names of its items. They include methods, which is harmless.
    pub(super) defined: BTreeSet<String>,
}

/// One leaf of a `use` declaration.
#[derive(Debug, PartialEq)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// The name that it brings into the module; a glob import has none.
    pub(super) name: Option<String>,
    pub(super) line: usize,
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

/// The modules of a file, by their paths within it; the file itself has the empty path.
pub(super) fn read(text: &str) -> BTreeMap<Vec<String>, Module> {
    let mut reader = Reader { tokens: tokens(text), at: 0 };
    let mut modules = BTreeMap::from([(Vec::new(), Module::default())]);
    let mut path = Vec::new();
    // The depth of braces, and where each open module began.
    let (mut depth, mut begins) = (0_usize, Vec::new());
    while reader.at < reader.tokens.len() {
        let module: &mut Module = modules.entry(path.clone()).or_default();
        let next = reader.text(1);
        match reader.text(0) {
            "#" if reader.is_next(&["#", "[", "cfg", "(", "test", ")", "]"]) => reader.skip_item(),
            "mod" if is_word(next) && reader.text(2) == "{" => {
                begins.push(depth);
                path.push(next.to_owned());
                reader.at += 2;
            }
            "mod" if is_word(next) && reader.text(2) == ";" => {
                module.declared.push(next.to_owned());
                reader.at += 2;
            }
            // `+ use<'a>` is a bound.
            "use" if next != "<" => {
                reader.at += 1;
                reader.imports(Vec::new(), &mut module.imports);
            }
            "struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static" if is_word(next) => {
                module.defined.insert(next.to_owned());
                reader.at += 2;
            }
            "{" => {
                depth += 1;
                reader.at += 1;
            }
            "}" => {
                depth = depth.saturating_sub(1);
                if begins.last() == Some(&depth) {
                    begins.pop();
                    path.pop();
                }
                reader.at += 1;
            }
            word if is_word(word) => reader.path(&mut module.paths),
            _ => reader.at += 1,
        }
    }
    modules
}

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The token at this distance ahead; empty after the last one.
    fn text(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn is_next(&self, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(ahead, text)| self.text(ahead) == *text)
    }

    /// Skips the item that begins here, including its body or its semicolon.
    fn skip_item(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" if depth == 0 => return,
                ")" | "]" => depth -= 1,
                "}" => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                ";" if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Reads one tree of a `use` declaration after `path`.
    fn imports(&mut self, mut path: Vec<String>, imports: &mut Vec<Import>) {
        while let Some(&Token { text, line }) = self.tokens.get(self.at) {
            match text {
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | ";" | "") {
                        self.imports(path.clone(), imports);
                        self.at += usize::from(self.text(0) == ",");
                    }
                    self.at += usize::from(self.text(0) == "}");
                    return;
                }
                "}" | "," | ";" => return,
                "*" => {
                    self.at += 1;
                    imports.push(Import { path, name: None, line });
                    return;
                }
                // A path that begins with it leads out of our crate; no module has this name.
                "::" if path.is_empty() => path.push(String::new()),
                "self" if !path.is_empty() => {}
                word if is_word(word) => path.push(word.to_owned()),
                _ => {}
            }
            self.at += 1;
            if is_word(text) && self.text(0) != "::" {
                let renamed = self.text(0) == "as";
                let name = if renamed { Some(self.text(1).to_owned()) } else { path.last().cloned() };
                self.at += if renamed { 2 } else { 0 };
                imports.push(Import { path, name, line });
                return;
            }
        }
    }

    /// Reads a path and keeps it if it has several segments: a single name is imported or defined elsewhere.
    fn path(&mut self, paths: &mut Vec<(Vec<String>, usize)>) {
        let before = self.at.checked_sub(1).map_or("", |before| self.tokens[before].text);
        // The rest of a path that began with a type, a path out of our crate, or a macro's variable.
        let is_foreign = before == "::" || before == "$" && self.text(0) != "crate";
        let line = self.tokens[self.at].line;
        let mut path = vec![self.text(0).to_owned()];
        self.at += 1;
        while self.text(0) == "::" && is_word(self.text(1)) {
            path.push(self.text(1).to_owned());
            self.at += 2;
        }
        if !is_foreign && path.len() > 1 {
            paths.push((path, line));
        }
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(is_of_word)
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words and symbols of a source file, without comments, literals and lifetimes.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let mut is_token = false;
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_length(rest)
        } else if let Some(length) = string_length(rest) {
            length
        } else if first == '\'' {
            quote_length(rest)
        } else if rest.starts_with("r#") {
            2
        } else {
            is_token = !first.is_whitespace();
            let word = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
            if rest.starts_with("::") { 2 } else { word.max(first.len_utf8()) }
        };
        let (token, after) = rest.split_at(length);
        if is_token {
            tokens.push(Token { text: token, line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The length of a comment `/* … */`, which may contain others.
fn comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (index, pair) in text.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => depth += 1,
            b"*/" if depth == 1 => return index + 2,
            b"*/" => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the string literal that begins here, if one does.
fn string_length(text: &str) -> Option<usize> {
    let prefix = text.find(|letter| !matches!(letter, 'b' | 'c' | 'r'))?;
    let hashes = text[prefix..].find(|letter| letter != '#')?;
    let begin = prefix + hashes + 1;
    let body = text[prefix + hashes..].strip_prefix('"')?;
    if text[..prefix].ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(body.find(&end).map_or(text.len(), |length| begin + length + end.len()));
    }
    let mut escaped = false;
    let end = body.find(|letter| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    });
    Some(end.map_or(text.len(), |length| begin + length + 1))
}

/// The length of the character literal or lifetime that begins here.
fn quote_length(text: &str) -> usize {
    let body = &text[1..];
    if let Some(escape) = body.strip_prefix('\\') {
        let escaped = escape.chars().next().map_or(0, char::len_utf8);
        return escape[escaped..].find('\'').map_or(text.len(), |length| 2 + escaped + length + 1);
    }
    let letter = body.chars().next().map_or(0, char::len_utf8);
    if body[letter..].starts_with('\'') {
        return 1 + letter + 1;
    }
    1 + body.find(|letter| !is_of_word(letter)).unwrap_or(body.len())
}
