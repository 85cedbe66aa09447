//! A result is a function of source and scope, and data.

use std::sync::Arc;

use minijinja::{Value, context};

use super::{Template, evaluate};

#[test]
fn results_are_not_rendered_again() {
    let scope = context! { fact => "{{ 1 + 1 }}", list => vec!["{% raw %}", "{{ port }}"], key => "{{ key }}" };
    for (source, expected) in [
        ("{{ fact }}", "{{ 1 + 1 }}"),
        ("a {{ fact }}", "a {{ 1 + 1 }}"),
        ("{% if true %}{{ list | join }}{% endif %}", "{% raw %}{{ port }}"),
        ("{{ fact ~ key }}", "{{ 1 + 1 }}{{ key }}"),
    ] {
        let template = Template::compile(&Arc::from(source)).unwrap();
        assert_eq!(template.evaluate(&scope).unwrap().as_str(), Some(expected), "{source}");
    }
}

#[test]
fn the_same_result_each_time_and_on_each_thread() {
    let source =
        "{% for k, v in {'b': 2, 'a': 1} | items %}{{ k }}={{ v }} {% endfor %}{{ [3, 1, 2] | sort | unique | list }}";
    let template = Template::compile_file(&Arc::from(source)).unwrap();
    let scope = Value::from_pairs([("x", 1)]);
    let render = || template.evaluate(&scope).unwrap().to_string();
    let first = render();
    std::thread::scope(|threads| {
        let other = threads.spawn(|| (0..50).map(|_| render()).all(|again| again == first));
        assert!((0..50).map(|_| render()).all(|again| again == first));
        assert!(other.join().unwrap());
    });
}

#[test]
fn there_is_no_clock_no_chance_and_no_environment() {
    for name in ["now", "random", "env", "lookup", "lipsum", "debug", "joiner", "cycler", "self", "__import__"] {
        let result = evaluate(&format!("{{{{ {name}() }}}}"));
        assert!(result.is_err(), "{name}: {result:?}");
    }
    for filter in ["random", "shuffle", "pprint", "datetimeformat"] {
        let result = evaluate(&format!("{{{{ [1] | {filter} }}}}"));
        assert!(result.is_err(), "{filter}: {result:?}");
    }
}
