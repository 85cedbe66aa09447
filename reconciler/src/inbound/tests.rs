use super::*;

#[test]
fn only_paths_of_the_published_tree_are_known() {
    let digest = "0a".repeat(32);
    let own = "web-1".parse().expect("an id");
    let host = |path: &str| PublishedPath::Host(std::clone::Clone::clone(&own), path.into());
    for path in
        ["root.json", "1.root.json", "12.root.json.0123456789ABCDEF.minisig", "root.json.0123456789ABCDEF.minisig"]
    {
        assert_eq!(path.parse(), Ok(PublishedPath::Root(path.into())), "{path}");
    }
    for name in ["head.json", "head.json.0123456789ABCDEF.minisig", &format!("{digest}.json")] {
        let path = format!("hosts/web-1/{name}");
        assert_eq!(path.parse(), Ok(host(&path)), "{path}");
    }
    let blob = format!("blobs/{digest}");
    assert_eq!(blob.parse(), Ok(PublishedPath::Blob(blob.clone().into())));
    for path in [
        "",
        "/root.json",
        "root.json/",
        "./root.json",
        "01.root.json",
        "-1.root.json",
        "+1.root.json",
        ".root.json",
        "root.json.0123456789abcdef.minisig",
        "hosts",
        "hosts/web-1",
        "hosts/web-1/",
        "hosts/web-1/head.json.new",
        "hosts/../root.json",
        "hosts/web-1/../web-2/head.json",
        "hosts/web-1//head.json",
        "hosts/WEB/head.json",
        "hosts/web-1/0A.json",
        "blobs/..",
        "blobs/0a",
        "blobs/../root.json",
        "keys/render.key",
        "hosts\\web-1\\head.json",
        "hosts/web-1/head.json\0",
    ] {
        assert!(path.parse::<PublishedPath>().is_err(), "{path:?}");
    }
    assert!(format!("blobs/{}", digest.to_uppercase()).parse::<PublishedPath>().is_err());
}

#[test]
fn numbers_rise_within_a_stream() {
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().expect("a key");
    let mut marks = ReplayMarks::default();
    assert_eq!(marks.check(&key, Stream::Reports, 0), Seq::New);
    marks.raise(key, Stream::Reports, 5);
    marks.raise(key, Stream::Reports, 3);
    let stands = |seq| marks.check(&key, Stream::Reports, seq);
    assert_eq!((stands(4), stands(5), stands(6)), (Seq::Replayed(5), Seq::Again, Seq::New));
    assert_eq!(marks.check(&key, Stream::Facts, 1), Seq::New, "streams are apart");
}
