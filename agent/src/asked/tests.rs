use super::*;

#[test]
fn a_request_is_taken_once_and_one_that_acts_also_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (now, expires) = (Timestamp(1_000), Timestamp(2_000));
    {
        let (store, _) = Store::open(&folder.path().join("store")).unwrap();
        let mut asked = Asked::load(&store).unwrap();
        asked.take(&store, "read", expires, false, now).unwrap();
        asked.take(&store, "act", expires, true, now).unwrap();
        for id in ["read", "act"] {
            assert!(matches!(asked.take(&store, id, expires, false, now), Err(NotTaken::Again)), "{id}");
        }
    }
    let (store, _) = Store::open(&folder.path().join("store")).unwrap();
    let mut asked = Asked::load(&store).unwrap();
    assert!(matches!(asked.take(&store, "act", expires, true, now), Err(NotTaken::Again)));
    // What has expired is forgotten: it is refused for its time before it comes here.
    asked.take(&store, "act", Timestamp(9_000), true, expires).unwrap();
}

#[test]
fn memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(&folder.path().join("store")).unwrap();
    let mut asked = Asked::default();
    for number in 0..MOST {
        asked.take(&store, &number.to_string(), Timestamp(2_000), false, Timestamp(1_000)).unwrap();
    }
    assert!(matches!(asked.take(&store, "more", Timestamp(3_000), false, Timestamp(1_000)), Err(NotTaken::TooMany)));
    asked.take(&store, "later", Timestamp(3_000), false, Timestamp(2_000)).unwrap();
}
