//! The commands over names and attributes.

use pretty_assertions::assert_eq;
use rstest::rstest;

use crate::sim::Sim;

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn directories_are_made_listed_and_removed(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    sim.good(&["mkdir", "-p", &sim.url("a/b/c"), &sim.url("a/b"), &sim.url("z")]).await;
    sim.bad(1, &["mkdir", &sim.url("z")]).await;
    sim.bad(1, &["mkdir", &sim.url("none/d")]).await;
    for number in 0..300 {
        sim.world.write(&format!("file-{number}"), "x").await;
    }
    sim.good(&["mv", &sim.url("file-0"), &sim.url("a/b")]).await;
    sim.good(&["mv", &sim.url("a/b/file-0"), &sim.url("a/moved")]).await;
    assert_eq!(lines(&sim.text(&["ls", &sim.url("")]).await).len(), 299 + 2);
    let listed = sim.json(&["ls", "-R", &sim.url("a")]).await;
    let urls: Vec<_> = listed.iter().map(|entry| entry["url"].as_str().unwrap()).collect();
    assert_eq!(urls, [sim.url("a/b"), sim.url("a/moved"), sim.url("a/b/c")]);
    let complaint = sim.bad(1, &["rm", &sim.url("a")]).await;
    assert!(complaint.contains("a directory; -r removes it"), "{complaint}");
    sim.good(&["rm", "-r", &sim.url("a")]).await;
    sim.bad(1, &["rm", "-r", &sim.url("a")]).await;
    sim.good(&["rm", "-rf", &sim.url("a"), &sim.url("z")]).await;
    assert_eq!(sim.world.names().await.len(), 299);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_with_thousands_of_names_is_removed() {
    let sim = Sim::new(2).await;
    let keys = (0..2500).map(|number| format!("tree/{}/{number}", number % 2)).collect();
    sim.world.objects().unwrap().put_all(keys).await;
    let missing = || async { (!sim.world.names().await.contains(&"tree".to_owned())).then(|| "not seen".to_owned()) };
    sim.world.eventually("tree", missing).await;
    sim.good(&["rm", "-r", &sim.url("tree")]).await;
    assert!(sim.world.names().await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attributes_are_set_and_shown(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    sim.world.write("file", "0123456789").await;
    sim.good(&["chmod", "640", &sim.url("file")]).await;
    sim.good(&["truncate", "-s", "4", &sim.url("file"), &sim.url("new")]).await;
    sim.bad(1, &["truncate", "-c", "-s", "4", &sim.url("none")]).await;
    let stat = sim.json(&["stat", &sim.url("file"), &sim.url("new")]).await;
    let attributes = &stat[0]["attributes"];
    assert_eq!(
        (&attributes["mode"], &attributes["size"], &attributes["type"]),
        (&"0640".into(), &4.into(), &"file".into())
    );
    assert_eq!((&stat[1]["attributes"]["size"], &stat[0]["minor"]), (&4.into(), &minor.into()));
    assert!(attributes["supported_attrs"].as_array().unwrap().contains(&"owner_group".into()), "{attributes}");
    assert_eq!(sim.good(&["cat", &sim.url("file"), &sim.url("new")]).await, b"0123\0\0\0\0");
    let listed = sim.text(&["ls", "-l", &sim.url("file")]).await;
    assert!(listed.starts_with("-rw-r-----   1 0        0                   4 20"), "{listed}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_on_the_way_are_followed(#[values(0, 1, 2)] minor: u32) {
    let sim = Sim::new(minor).await;
    sim.good(&["mkdir", "-p", &sim.url("a/b")]).await;
    sim.world.write("file", "content").await;
    sim.good(&["ln", "-s", "../..", &sim.url("a/b/up")]).await;
    sim.good(&["ln", "-s", "a/b/up/file", &sim.url("link")]).await;
    sim.good(&["ln", "-s", "round", &sim.url("round")]).await;
    assert_eq!(sim.good(&["cat", &sim.url("a/b/up/link")]).await, b"content");
    assert_eq!(lines(&sim.text(&["ls", &sim.url("a/b/up")]).await), ["a", "file", "link", "round"]);
    let listed = sim.text(&["ls", "-l", &sim.url("link")]).await;
    assert!(listed.starts_with('l') && listed.ends_with("link -> a/b/up/file\n"), "{listed}");
    assert!(sim.bad(1, &["cat", &sim.url("round")]).await.contains("more than 40 symbolic links"));
    // The gateway offers no hard links.
    assert!(sim.bad(1, &["ln", &sim.url("file"), &sim.url("hard")]).await.contains("NFS4ERR_NOTSUPP"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find_passes_what_passes_all_tests() {
    let sim = Sim::new(2).await;
    sim.good(&["mkdir", "-p", &sim.url("d/e")]).await;
    for (name, size) in [("a.txt", 1), ("b.txt", 5000), ("c.log", 5000)] {
        sim.world.write(name, vec![0; size]).await;
        sim.good(&["mv", &sim.url(name), &sim.url("d/e")]).await;
    }
    let top = sim.url("");
    let top = top.trim_end_matches('/');
    let find = async |tests: &[&str]| {
        let args: Vec<&str> = ["find", top].into_iter().chain(tests.iter().copied()).collect();
        let found = sim.text(&args).await;
        lines(&found).iter().map(|url| url.strip_prefix(top).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(find(&["-name", "*.txt"]).await, ["/d/e/a.txt", "/d/e/b.txt"]);
    assert_eq!(find(&["-name", "*.txt", "-size", "+4K"]).await, ["/d/e/b.txt"]);
    assert_eq!(find(&["-type", "f", "-size", "-2"]).await, ["/d/e/a.txt"]);
    assert_eq!(find(&["-type", "d"]).await, ["", "/d", "/d/e"]);
    assert_eq!(find(&["-maxdepth", "1"]).await, ["", "/d"]);
    assert_eq!(find(&["-maxdepth", "0"]).await, [""]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn df_shows_the_room() {
    let sim = Sim::new(2).await;
    let room = sim.json(&["df", &sim.url("")]).await;
    assert!(room[0]["space_total"].as_u64() > Some(0), "{room:?}");
    let text = sim.text(&["df", &sim.url("")]).await;
    assert_eq!(text.lines().count(), 2, "{text}");
}
