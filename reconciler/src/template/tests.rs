use std::sync::Arc;

use minijinja::{Value, context};
use serde_json::json;

mod attack;
mod purity;

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
        ("{{ 'None' ~ name }}", json!("Noneweb")),
        ("{{ name | b64encode }}", json!("d2Vi")),
        ("{{ {'b': '<&>', 'a': [1, true]} | tojson }}", json!("{\"a\":[1,true],\"b\":\"<&>\"}")),
        ("{{ [1] | tojson(indent=2) }}", json!("[\n  1\n]")),
        ("{{ none | tojson }}", json!("null")),
        (
            "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
            json!("3"),
        ),
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
        ("{{ 'a' ~ nothing }}", "3: the value is null"),
        ("{% set x = nothing %}{{ 'a' ~ x }}", "24: the value is null"),
        ("{{ ['None' ~ nothing] }}", "4: the value is null"),
        ("{{ 'a' ~ [nothing] }}", "3: a value in it is null"),
        ("{{ 'a' ~ missing }}", "3: `missing` is undefined"),
        ("{{ port ~ '-' ~ (name if false else nothing) ~ name }}", "3: the value is null"),
        ("{% macro m(x='a' ~ nothing) %}{{ x }}{% endmacro %}{{ m() }}", "13: the value is null"),
        ("{{ [nothing] | tojson }}", "15: a value within the result is null"),
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
        ("{{ missing.deeper }}", "3: `missing` is undefined"),
        ("{{ port + }}", "8: unexpected end of input, expected expression"),
        ("{{ port", "3: unexpected end of input, expected end of variable block"),
        ("a\n{% if port %}", "13: unexpected end of input, expected end of block"),
        ("{% include '/etc/passwd' %}", "3: templates cannot load other templates"),
        ("{{ debug() }}", "3: `debug` is undefined"),
        ("{{ name | nosuch }}", "10: there is no filter nosuch"),
    ];
    for (source, expected) in table {
        assert_eq!(evaluate(source), Err(expected.to_owned()), "{source}");
    }
}

#[test]
fn hints_name_what_was_meant() {
    let scope = context! { upstream => 1, settings => context! { port => 80, nginx => context! { workers => 2 } } };
    let table = [
        ("{{ upstreem }}", Some("did you mean 'upstream'?")),
        ("{{ 'a' ~ upstreem }}", Some("did you mean 'upstream'?")),
        ("{% if true %}{{ upstreem }}{% endif %}", Some("did you mean 'upstream'?")),
        ("{{ settings.prt }}", Some("did you mean 'port'?")),
        ("{{ settings.nginx.worker + 1 }}", Some("did you mean 'workers'?")),
        ("{{ rang(3) }}", Some("did you mean 'range'?")),
        ("{{ upstream | to_jsn }}", Some("did you mean 'to_json'?")),
        ("{{ quite_another }}", None),
    ];
    for (source, expected) in table {
        let compiled = Template::compile(&Arc::from(source)).unwrap();
        let fault = compiled.evaluate(&scope).unwrap_err();
        let hint = fault.hint(&scope, ["upstream", "settings"]);
        assert_eq!(hint.as_deref(), expected, "{source}: {fault:?}");
    }
}

#[test]
fn all_filters_that_hints_name_exist() {
    for name in super::filters::NAMES {
        let source = format!("{{{{ '{name}' is filter }}}}");
        assert_eq!(evaluate(&source), Ok(json!(true)), "{name}");
    }
}
