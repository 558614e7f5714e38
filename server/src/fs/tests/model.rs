//! Random changes against a tree in memory: after each, names and bytes agree, and at the end the bucket does.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Op {
    Write(usize, u8),
    Append(usize, u8),
    Cut(usize, u8),
    Mkdir(usize),
    Remove(usize),
    Rename(usize, usize),
    Settle,
    Restart,
}

/// Few paths, so that they meet: each is now a file and now a directory.
const PATHS: [&str; 10] = ["a", "b", "c", "a/a", "a/b", "b/a", "b/c", "a/a/a", "b/a/b", "c/a"];

/// By path; `None` is a directory.
type Tree = BTreeMap<String, Option<String>>;

fn op() -> impl Strategy<Value = Op> {
    let path = || 0..PATHS.len();
    prop_oneof![
        4 => (path(), any::<u8>()).prop_map(|(path, size)| Op::Write(path, size)),
        2 => (path(), any::<u8>()).prop_map(|(path, size)| Op::Append(path, size)),
        1 => (path(), any::<u8>()).prop_map(|(path, size)| Op::Cut(path, size)),
        3 => path().prop_map(Op::Mkdir),
        3 => path().prop_map(Op::Remove),
        5 => (path(), path()).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => Just(Op::Settle),
        1 => Just(Op::Restart),
    ]
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_directory(tree: &Tree, path: &str) -> bool {
    path.is_empty() || matches!(tree.get(path), Some(None))
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn is_empty(tree: &Tree, directory: &str) -> bool {
    !tree.keys().any(|path| is_below(path, directory))
}

/// Whether POSIX lets the rename happen; `EEXIST` and the like are not told apart.
fn may_rename(tree: &Tree, from: &str, to: &str) -> bool {
    let Some(node) = tree.get(from) else { return false };
    if !is_directory(tree, parent_of(to)) || is_below(to, from) {
        return false;
    }
    match (node, tree.get(to)) {
        _ if from == to => true,
        (_, None) | (Some(_), Some(Some(_))) => true,
        (None, Some(None)) => is_empty(tree, to),
        _ => false,
    }
}

fn rename(tree: &mut Tree, from: &str, to: &str) {
    if from == to {
        return;
    }
    tree.remove(to);
    let moved: Vec<String> = tree.keys().filter(|path| *path == from || is_below(path, from)).cloned().collect();
    for path in moved {
        let node = tree.remove(&path).unwrap();
        tree.insert(format!("{to}{}", &path[from.len()..]), node);
    }
}

async fn apply(world: World, tree: &mut Tree, op: &Op, number: usize) -> World {
    match *op {
        Op::Write(path, size) => {
            let path = PATHS[path];
            if is_directory(tree, parent_of(path)) && !is_directory(tree, path) {
                let bytes = format!("{number}.").repeat(usize::from(size % 9));
                world.write(path, &bytes).await;
                tree.insert(path.to_owned(), Some(bytes));
            }
        }
        Op::Append(path, size) => {
            if let Some(Some(bytes)) = tree.get_mut(PATHS[path]) {
                let more = format!("{number}+").repeat(usize::from(size % 5) + 1);
                let file = world.walk(PATHS[path]).await.unwrap();
                world.put(&file, bytes.len() as u64, &more).await;
                bytes.push_str(&more);
            }
        }
        Op::Cut(path, size) => {
            if let Some(Some(bytes)) = tree.get_mut(PATHS[path]) {
                let file = world.walk(PATHS[path]).await.unwrap();
                let size = usize::from(size % 16);
                let set = SetAttributes { size: Some(size as u64), ..ANYTHING };
                world.fs.setattr(&file, &set).await.unwrap();
                bytes.truncate(size);
                bytes.push_str(&"\0".repeat(size - bytes.len()));
            }
        }
        Op::Mkdir(path) => {
            let path = PATHS[path];
            if is_directory(tree, parent_of(path)) && !tree.contains_key(path) {
                world.mkdir(path).await;
                tree.insert(path.to_owned(), None);
            }
        }
        Op::Remove(path) => {
            let path = PATHS[path];
            if is_directory(tree, parent_of(path)) {
                let may = tree.contains_key(path) && is_empty(tree, path);
                assert_eq!(world.remove(path).await.is_ok(), may, "remove {path}");
                if may {
                    tree.remove(path);
                }
            }
        }
        Op::Rename(from, to) => {
            let (from, to) = (PATHS[from], PATHS[to]);
            if is_directory(tree, parent_of(from)) && is_directory(tree, parent_of(to)) {
                let may = may_rename(tree, from, to);
                let done = world.rename(from, to).await;
                assert_eq!(done.is_ok(), may, "rename {from} {to}: {done:?}");
                if may {
                    rename(tree, from, to);
                }
            }
        }
        Op::Settle => world.settle().await,
        Op::Restart => return world.restart().await,
    }
    world
}

/// Reads as a client does that is told to come again.
async fn read(world: &World, file: &Handle) -> String {
    loop {
        match world.read(file).await {
            Err(FsError::Delay(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
            bytes => return bytes.unwrap(),
        }
    }
}

async fn seen(world: &World) -> Tree {
    let mut tree = Tree::new();
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        for name in world.list(&directory, 2).await {
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            let node = world.walk(&path).await.unwrap();
            let bytes = match world.fs.getattr(&node).await.unwrap().kind {
                NodeKind::Directory => None,
                _ => Some(read(world, &node).await),
            };
            if bytes.is_none() {
                directories.push(path.clone());
            }
            assert_eq!(tree.insert(path.clone(), bytes), None, "{path} is listed twice");
        }
    }
    tree
}

/// The objects that a bucket with this tree has; directories that have entries may go without a marker.
fn agrees(tree: &Tree, objects: &BTreeMap<String, String>) -> bool {
    let files = tree.iter().filter_map(|(path, bytes)| Some((path.clone(), bytes.clone()?)));
    let in_bucket = objects.iter().filter(|(key, _)| !key.ends_with('/'));
    let markers = objects.keys().filter_map(|key| key.strip_suffix('/'));
    files.eq(in_bucket.map(|(key, bytes)| (key.clone(), bytes.clone())))
        && markers.into_iter().all(|path| is_directory(tree, path))
        && tree
            .keys()
            .filter(|path| is_directory(tree, path) && is_empty(tree, path))
            .all(|path| objects.contains_key(&format!("{path}/")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_what_was_made_of_it(ops in prop::collection::vec(op(), 1..30), lingers in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let linger = if lingers { Duration::from_secs(1) } else { Duration::ZERO };
            let mut world = World::with(FsConfig { linger, ..impatient() }).await;
            let mut tree = Tree::new();
            for (number, op) in ops.iter().enumerate() {
                world = apply(world, &mut tree, op, number).await;
                assert_eq!(seen(&world).await, tree, "after {op:?}");
            }
            world.settle().await;
            assert!(agrees(&tree, &world.objects().await), "{tree:?} {:?}", world.objects().await);
            world = world.restart().await;
            assert_eq!(seen(&world).await, tree, "after the last restart");
        });
    }
}
