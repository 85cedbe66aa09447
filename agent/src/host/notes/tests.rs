#![allow(clippy::disallowed_methods)]

use muster_schema::Address;

use super::Notes;

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

#[test]
fn a_note_stays_until_it_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes");
    let (nginx, anna) = (address("packages/nginx"), address("users/anna"));
    let notes = Notes::open(&path).expect("opened");
    assert_eq!(notes.load::<Vec<String>>(&nginx).expect("read"), None);
    notes.save(&nginx, &["a".to_owned()]).expect("saved");
    notes.save(&nginx, &["b".to_owned()]).expect("saved");
    notes.save(&anna, &7).expect("saved");
    drop(notes);
    let notes = Notes::open(&path).expect("opened again");
    assert_eq!(notes.load(&nginx).expect("read"), Some(vec!["b".to_owned()]));
    notes.forget(&nginx).expect("forgotten");
    notes.forget(&nginx).expect("forgotten already");
    assert_eq!(notes.load::<Vec<String>>(&nginx).expect("read"), None);
    assert_eq!(notes.load(&anna).expect("read"), Some(7));
}

#[test]
fn a_damaged_note_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let notes = Notes::open(folder.path()).expect("opened");
    let nginx = address("packages/nginx");
    notes.save(&nginx, &1).expect("saved");
    let file = std::fs::read_dir(folder.path()).expect("listed").next().expect("one").expect("an entry").path();
    std::fs::write(&file, b"{\"address\":\"packages/ngi").expect("damaged");
    assert_eq!(notes.load::<u32>(&nginx).expect("read"), None);
}
