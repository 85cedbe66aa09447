#![allow(clippy::unwrap_used)]
use super::*;

impl Listed for &str {
    fn key(&self) -> String {
        (*self).to_owned()
    }
}

fn ask(query: &str) -> Question {
    Question::of_list(&format!("/list?{query}").parse().unwrap(), &[]).unwrap()
}

#[test]
fn pages_together_are_the_list() {
    let list = vec!["d", "b", "a", "c", "e"];
    let (mut seen, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = page_of(&ask(&query), list.clone()).unwrap();
        assert_eq!(page.total, 5);
        seen.extend(page.items);
        let Some(next) = page.next else { break };
        query = format!("limit=2&after={next}");
    }
    assert_eq!(seen, list);
    assert_eq!(page_of(&ask("limit=5"), list).unwrap().next, None);
    assert_eq!(page_of(&ask(""), Vec::<&str>::new()).unwrap().total, 0);
}

#[test]
fn what_is_not_there_is_nothing_to_go_on_from() {
    assert_eq!(page_of(&ask("after=x"), vec!["a"]).unwrap_err().status, 400);
}

#[test]
fn a_sorted_list_goes_on_where_one_is_gone() {
    let key = |item: &&str| (*item).to_owned();
    let page = page_of_sorted(&ask("after=b&limit=1"), vec!["a", "c", "d"], key);
    assert_eq!((page.items, page.next.as_deref()), (vec!["c"], Some("c")));
    let page = page_of_sorted(&ask("after=z"), vec!["a", "c"], key);
    assert_eq!((page.items, page.total, page.next), (vec![], 2, None));
}
