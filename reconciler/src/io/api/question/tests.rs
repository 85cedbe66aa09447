#![allow(clippy::unwrap_used)]
use muster_schema::fleet_api::HOST_FILTERS;
use muster_schema::state::Health;

use super::*;

fn ask(query: &str) -> Result<Question, Problem> {
    Question::of_list(&format!("/hosts?{query}").parse().unwrap(), HOST_FILTERS)
}

#[test]
fn what_is_asked_is_read() {
    let question = ask("health=Degraded&selector=role%3Dweb&limit=7&after=web-3&fields=id,%20health").unwrap();
    assert_eq!(question.value::<Health>("health").unwrap(), Some(Health::Degraded));
    assert_eq!(question.text("selector"), Some("role=web"));
    assert_eq!((question.limit, question.after.as_deref()), (7, Some("web-3")));
    assert_eq!(question.fields, Some(vec!["id".to_owned(), "health".to_owned()]));
    let all = ask("").unwrap();
    assert_eq!((all.limit, &all.after, &all.fields, all.text("health")), (DEFAULT_LIMIT, &None, &None, None));
    assert_eq!(Question::of_one(&"/fleet".parse().unwrap()).unwrap().fields, None);
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    let hint = ask("page=2").unwrap_err().hint.unwrap();
    assert!(hint.contains("selector, environment") && hint.contains("limit, after, fields"), "{hint}");
    for wrong in ["limit=0", "limit=1001", "limit=-1", "limit=", "limit=9&limit=9", "health=Degraded&health=Degraded"] {
        assert_eq!(ask(wrong).unwrap_err().status, 400, "{wrong}");
    }
    let wrong = ask("health=well").unwrap().value::<Health>("health").unwrap_err();
    assert!(wrong.detail.contains("well") && wrong.detail.contains("Degraded"), "{}", wrong.detail);
    assert!(Question::of_one(&"/fleet?limit=1".parse().unwrap()).is_err());
}
