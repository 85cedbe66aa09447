use super::{guard_expression, guard_template};

/// The guarded form of an expression.
fn guarded(code: &str) -> String {
    guard_expression(code).unwrap().code().to_owned()
}

#[test]
fn joins_become_calls() {
    let table = [
        ("a", "a"),
        ("a ~ b", " __join(a , b)"),
        ("a ~ b ~ c", " __join(a , b , c)"),
        ("x + a ~ b - y", "x + __join( a , b )- y"),
        ("-a ~ -b", " __join(-a , -b)"),
        ("a * 2 ~ b | upper", " __join(a * 2 , b | upper)"),
        ("f(a ~ b, c=d ~ e)", "f( __join(a , b), c= __join(d , e))"),
        ("{'k' ~ a: b ~ c}", "{ __join('k' , a): __join( b , c)}"),
        ("(a ~ b) ~ c", " __join(( __join(a , b)) , c)"),
        ("a ~ b if c else d ~ e", " __join(a , b )if c else __join( d , e)"),
        ("a ~ b is not defined and c", " __join(a , b is not defined )and c"),
        ("x is sameas y ~ z", " __join(x is sameas y , z)"),
        ("x is sameas y ~ z is in w", " __join(x is sameas y , z is in w)"),
        ("a.in ~ b['~']", " __join(a.in , b['~'])"),
        ("a == b ~ c", "a == __join( b , c)"),
        ("a ~ 1e-5 ~ b", " __join(a , 1e-5 , b)"),
    ];
    for (code, expected) in table {
        assert_eq!(guarded(code), expected, "{code}");
    }
}

#[test]
fn what_is_looked_for_is_bounded() {
    let table = [
        ("a in b", " __bounded(a )in b"),
        ("a not in b", " __bounded(a )not in b"),
        ("not a in b", "not __bounded( a )in b"),
        ("x == 1 or a + b in c", "x == 1 or __bounded( a + b )in c"),
        ("a ~ b in c", " __bounded( __join(a , b ))in c"),
        ("[a in b]", "[ __bounded(a )in b]"),
        ("x is in y", "x is in y"),
        ("x is not in y", "x is not in y"),
    ];
    for (code, expected) in table {
        assert_eq!(guarded(code), expected, "{code}");
    }
}

#[test]
fn statements_are_guarded_and_text_is_not() {
    let table = [
        ("a ~ b in c {# a ~ b #}", "a ~ b in c {# a ~ b #}"),
        ("{% raw %}{{ a ~ b }}{% endraw %}", "{% raw %}{{ a ~ b }}{% endraw %}"),
        ("{{- a ~ b -}}", "{{- __join( a , b )-}}"),
        ("{% for x in a ~ b recursive %}", "{% for x in __join( a , b )recursive %}"),
        ("{% for x in y if x in z %}", "{% for x in y if __bounded( x )in z %}"),
        ("{%- if a ~ b == 'c' -%}", "{%- if __join( a , b )== 'c' -%}"),
        ("{% set x = a ~ b %}", "{% set x = __bounded(( __join( a , b )))%}"),
        ("{% set a, b = 1, 2 %}", "{% set a, b = __bounded(( 1, 2 ))%}"),
        ("{% set ns.x = y %}", "{% set ns.x = __bounded_within(( y ))%}"),
        ("{% set x | upper %}a ~ b{% endset %}", "{% set x | upper %}a ~ b{% endset %}"),
        ("{{ '}}' ~ {'a': {}} }}", "{{ __join( '}}' , {'a': {}} )}}"),
    ];
    for (source, expected) in table {
        let guarded = guard_template(source, minijinja::syntax::SyntaxConfig::default()).unwrap();
        assert_eq!(guarded.code(), expected, "{source}");
    }
}

#[test]
fn offsets_lead_back_to_what_was_written() {
    let written = "f(a ~ b, c in d) + missing";
    let guarded = guard_expression(written).unwrap();
    for (name, in_guarded, in_written) in [
        ("a", "a , b)", "a ~ b"),
        ("b", "b), ", "b, c"),
        ("d", "d) + missing", "d) + missing"),
        ("missing", "missing", "missing"),
        ("the join", "__join", "a ~ b"),
        ("what is looked for", "__bounded", "c in d"),
    ] {
        let offset = guarded.code().find(in_guarded).unwrap();
        assert_eq!(Some(guarded.written_offset(offset)), written.find(in_written), "{name} in {}", guarded.code());
    }
}
