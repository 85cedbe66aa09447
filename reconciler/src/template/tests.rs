use std::sync::Arc;
use std::time::{Duration, Instant};

use minijinja::{Value, context};
use serde_json::json;

use super::{Template, node_of_value};
use crate::model::Place;

fn scope() -> Value {
    context! {
        port => 80,
        name => "web",
        nothing => (),
        list => vec![Value::from("a"), Value::from(())],
        hosts => vec![context!(address => "10.0.0.1"), context!(id => "silent")],
    }
}

fn evaluate(source: &str) -> Result<serde_json::Value, String> {
    let at = |fault: &super::TemplateFault| format!("{}: {}", fault.offset, fault.reason);
    let template = Template::compile(&Arc::from(source)).map_err(|fault| at(&fault))?;
    let value = template.evaluate(&scope()).map_err(|fault| at(&fault))?;
    let node = node_of_value(&value, &Place::start_of("f")).map_err(|fault| fault.to_string())?;
    Ok(node.to_json())
}

#[test]
fn one_expression_gives_its_native_value() {
    let table = [
        ("{{ port }}", json!(80)),
        ("{{ port + 1 }}", json!(81)),
        ("{{ [port, name] }}", json!([80, "web"])),
        ("{{ {'a': {'b': 1}} }}", json!({"a": {"b": 1}})),
        ("{{ port == 80 }}", json!(true)),
        ("{{ '}}' }}", json!("}}")),
        ("{{ nothing }}", json!(null)),
        ("{{ 1.5 }}", json!(1.5)),
        (" {{ port }}", json!(" 80")),
        ("{{ port }}\n", json!("80\n")),
        ("a {{ name }}:{{ port }}", json!("a web:80")),
        ("{% if port %}yes{% endif %}\n", json!("yes\n")),
        ("a\n{{- port }}", json!("a80")),
        ("<{{ '<&>' }}>", json!("<<&>>")),
        ("{{ hosts | map(attribute='id', default='x') | join(',') }}", json!("x,silent")),
        ("{{ [1, 2] | join('-') }} {{ name | upper }}", json!("1-2 WEB")),
    ];
    for (source, expected) in table {
        assert_eq!(evaluate(source), Ok(expected), "{source}");
    }
}

#[test]
fn no_file_ever_says_none() {
    let table = [
        ("a {{ nothing }}", "5: the value is null"),
        ("{% if true %}{{ nothing }}{% endif %}", "16: the value is null"),
        ("{{ list }} of", "3: a value in it is null"),
        ("{{ list }}", "a value within the result is null"),
        ("{{ hosts | map(attribute='address') | list }}", "a value within the result is undefined"),
        ("{{ 'a' ~ nothing }}", "3: the text says 'None': a value joined by '~' is null"),
        ("{% set x = nothing %}{{ 'a' ~ x }}", "0: the text says 'None': a value joined by '~' is null"),
        ("{{ nothing | upper }}", "13: the value is null, and would be text by 'upper'"),
        ("{{ '%s' | format(nothing) }}", "10: the value is null, and would be text by 'format'"),
        ("{{ list | join(',') }}", "10: a value in it is null, and would be text by 'join'"),
        (
            "{{ hosts | map(attribute='address') | join(',') }}",
            "38: a value in it is undefined, and would be text by 'join'",
        ),
    ];
    for (source, expected) in table {
        assert_eq!(evaluate(source), Err(expected.to_owned()), "{source}");
    }
}

#[test]
fn faults_name_their_offset() {
    let table = [
        ("x {{ missing }}", "5: `missing` is undefined"),
        ("{{ missing.deeper }}", "3: `missing.deeper` is undefined"),
        ("{{ port + }}", "8: unexpected end of input, expected expression"),
        ("{{ port", "3: unexpected end of input, expected end of variable block"),
        ("a\n{% if port %}", "13: unexpected end of input, expected end of block"),
        ("{% include '/etc/passwd' %}", "3: templates cannot load other templates"),
        ("{{ debug() }}", "3: unknown function: debug is unknown"),
        ("{{ name | nosuch }}", "10: unknown filter: filter nosuch is unknown"),
    ];
    for (source, expected) in table {
        assert_eq!(evaluate(source), Err(expected.to_owned()), "{source}");
    }
}

#[test]
fn hostile_templates_end_quickly() {
    let doubled: String = std::iter::once("{% set a = 'xxxxxxxxxx' %}".to_owned())
        .chain((0..60).map(|_| "{% set a = a ~ a %}".to_owned()))
        .collect();
    let nested = format!("{{% set a = [1] %}}{}{{{{ a }}}}", "{% set a = [a, a] %}".repeat(40));
    let native = format!("{{{{ {}1{} }}}}", "[".repeat(100), "]".repeat(100));
    let table = [
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 10000000000 }}",
        "{% macro again(x) %}{{ again(x ~ x) }}{% endmacro %}{{ again('x') }}",
        "{{ range(100000) | map('upper') | join(range(100000) | join('x')) }}",
        doubled.as_str(),
        nested.as_str(),
        native.as_str(),
    ];
    for source in table {
        let started = Instant::now();
        let refused = evaluate(source);
        assert!(refused.is_err(), "{source}");
        assert!(started.elapsed() < Duration::from_secs(10), "{source}: {:?}", started.elapsed());
    }
}
