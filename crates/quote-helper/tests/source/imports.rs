//! Imports between the source files of a crate have no circles. A module may use the items of the
//! modules that contain it: such an import is not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;
use syn::{Attribute, Item, UseTree};

use crate::files;

#[test]
fn imports_have_no_circles() {
    let circles: Vec<String> = files::entries(&files::crates())
        .iter()
        .flat_map(|directory| ["src/lib.rs", "src/main.rs"].map(|root| directory.join(root)))
        .filter(|root| root.exists())
        .flat_map(|root| Imports::of_crate(&root).circles())
        .collect();
    assert!(circles.is_empty(), "files that import each other:\n{}", circles.join("\n"));
}

/// Segments of the path of a module or an item, from the root of its crate.
type ItemPath = Vec<String>;

/// The modules of one crate, without its tests.
#[derive(Default)]
struct Imports {
    modules: BTreeMap<ItemPath, Module>,
}

/// One module, inline or in a file of its own.
#[derive(Default)]
struct Module {
    file: PathBuf,
    items: Vec<Item>,
    defined: BTreeSet<String>,
    /// Names that `use` brings into scope, with their paths as written.
    imported: BTreeMap<String, ItemPath>,
    globs: Vec<ItemPath>,
}

impl Imports {
    fn of_crate(root: &Path) -> Self {
        let mut imports = Self::default();
        let directory = root.parent().expect("a root file in a directory");
        imports.add_file(vec![], root, directory);
        imports
    }

    /// Adds the module at `path`, whose text is `file` and whose children are below `directory`.
    fn add_file(&mut self, path: ItemPath, file: &Path, directory: &Path) {
        let items = syn::parse_file(&files::read(file)).expect("Rust code").items;
        self.add_module(path, file, directory, items);
    }

    fn add_module(&mut self, path: ItemPath, file: &Path, directory: &Path, items: Vec<Item>) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.into_iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Use(item) => module.import(&mut vec![], &item.tree),
                Item::Mod(item) => {
                    let name = item.ident.to_string();
                    let child = [path.clone(), vec![name.clone()]].concat();
                    let below = directory.join(&name);
                    match item.content {
                        Some((_, items)) => self.add_module(child, file, &below, items),
                        None => self.add_file(child, &directory.join(name + ".rs"), &below),
                    }
                }
                item => {
                    module.defined.extend(defined_name(&item));
                    module.items.push(item);
                }
            }
        }
        self.modules.insert(path, module);
    }

    /// The file that defines the item which `path` leads to from the module `from`, if this crate
    /// has it; `depth` ends circles of re-exports.
    fn file_of(&self, from: &[String], path: &[String], depth: usize) -> Option<&Path> {
        let (first, rest) = path.split_first()?;
        if depth == 0 {
            return None;
        }
        match first.as_str() {
            "crate" => return self.file_of(&[], rest, depth),
            "self" => return self.file_of(from, rest, depth),
            "super" => return self.file_of(from.split_last()?.1, rest, depth),
            _ => {}
        }
        let child = [from, std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return self.file_of(&child, rest, depth);
        }
        let module = self.modules.get(from)?;
        if module.defined.contains(first) {
            return Some(&module.file);
        }
        if let Some(imported) = module.imported.get(first).filter(|imported| *imported != path) {
            return self.file_of(from, &[imported, rest].concat(), depth - 1);
        }
        module.globs.iter().find_map(|glob| {
            let path = [glob, path].concat();
            self.file_of(from, &path, depth - 1)
        })
    }

    /// For each file the files that it takes items from, without those of its parent modules.
    fn arrows(&self) -> BTreeMap<&Path, BTreeSet<&Path>> {
        let mut arrows = BTreeMap::<&Path, BTreeSet<&Path>>::new();
        for (path, module) in &self.modules {
            let mut used = UsedPaths::default();
            module.items.iter().for_each(|item| used.visit_item(item));
            let parents: BTreeSet<&Path> =
                (0..path.len()).map(|length| &*self.modules[&path[..length]].file).collect();
            let targets = used.paths.iter().filter_map(|used| self.file_of(path, used, 8));
            arrows
                .entry(&module.file)
                .or_default()
                .extend(targets.filter(|target| !parents.contains(target)));
        }
        arrows
    }

    /// One line for each group of files that import each other.
    fn circles(&self) -> Vec<String> {
        let arrows = self.arrows();
        let reached: BTreeMap<&Path, BTreeSet<&Path>> =
            arrows.keys().map(|file| (*file, reached_from(file, &arrows))).collect();
        let mut circles = BTreeSet::new();
        for (file, reaches) in &reached {
            let mut circle: Vec<&Path> = reaches
                .iter()
                .copied()
                .filter(|other| other != file && reached[other].contains(file))
                .collect();
            if !circle.is_empty() {
                circle.push(file);
                circle.sort();
                circles.insert(circle.iter().map(|file| files::name(file)).collect::<Vec<_>>());
            }
        }
        circles.iter().map(|circle| circle.join(" ")).collect()
    }
}

impl Module {
    /// Records the names that a `use` item brings into scope.
    fn import(&mut self, path: &mut ItemPath, tree: &UseTree) {
        for (name, path) in leaves(path, tree) {
            match name {
                Some(name) => drop(self.imported.insert(name, path)),
                None => self.globs.push(path),
            }
        }
    }
}

/// The imported paths of a `use` item with the names in scope, or without for `*`.
fn leaves(prefix: &mut ItemPath, tree: &UseTree) -> Vec<(Option<String>, ItemPath)> {
    let with = |name: &syn::Ident| match name.to_string().as_str() {
        "self" => prefix.clone(),
        name => [prefix.clone(), vec![name.to_owned()]].concat(),
    };
    match tree {
        UseTree::Path(tree) => {
            prefix.push(tree.ident.to_string());
            let leaves = leaves(prefix, &tree.tree);
            prefix.pop();
            leaves
        }
        UseTree::Name(tree) => {
            let path = with(&tree.ident);
            vec![(path.last().cloned(), path)]
        }
        UseTree::Rename(tree) => vec![(Some(tree.rename.to_string()), with(&tree.ident))],
        UseTree::Glob(_) => vec![(None, prefix.clone())],
        UseTree::Group(tree) => tree.items.iter().flat_map(|tree| leaves(prefix, tree)).collect(),
    }
}

/// Collects the paths that code uses. A `use` item alone uses nothing.
#[derive(Default)]
struct UsedPaths {
    paths: BTreeSet<ItemPath>,
}

impl<'code> Visit<'code> for UsedPaths {
    fn visit_path(&mut self, path: &'code syn::Path) {
        self.paths.insert(path.segments.iter().map(|part| part.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}

fn reached_from<'a>(
    start: &'a Path,
    arrows: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut next = vec![start];
    while let Some(file) = next.pop() {
        next.extend(arrows[file].iter().filter(|other| reached.insert(**other)));
    }
    reached
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|only| only.is_ident("test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
