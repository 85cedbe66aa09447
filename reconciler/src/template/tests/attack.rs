//! Templates that would take all time, all memory or the whole stack: each is refused, soon.

use std::time::{Duration, Instant};

use super::evaluate;

/// Each is refused, or ends, within the time that is left for a test on a busy machine.
fn check_all(sources: &[String], refused: bool) {
    for source in sources {
        let shown: String = source.chars().take(80).collect();
        let started = Instant::now();
        let result = evaluate(source);
        assert_eq!(result.is_err(), refused, "{shown}: {result:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{shown}: {:?}", started.elapsed());
    }
}

fn owned(sources: &[&str]) -> Vec<String> {
    sources.iter().map(|source| (*source).to_owned()).collect()
}

#[test]
fn a38_endless_work_ends() {
    check_all(
        &owned(&[
            "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
            "{{ range(10**9) | list | length }}",
            "{{ range(100000) | map('upper') | join(range(100000) | join('x')) }}",
            "{{ ([1] * 10**9) | last }}",
            "{{ 10 ** 10 ** 10 }}",
        ]),
        true,
    );
}

#[test]
fn a38_ten_gigabytes_are_refused() {
    let doubled: String = std::iter::once("{% set a = 'xxxxxxxxxx' %}".to_owned())
        .chain((0..60).map(|_| "{% set a = a ~ a %}".to_owned()))
        .chain(["{{ a }}".to_owned()])
        .collect();
    let shared = format!("{{% set a = [1] %}}{}{{{{ a }}}}", "{% set a = [a, a] %}".repeat(40));
    let list = "{% set s = 'x' * 10000000 %}{% set many = none %}";
    let of_list = ["{{ LIST ~ '' }}", "a{{ LIST }}", "{{ LIST }}", "{{ LIST | join }}", "{{ LIST | tojson }}"];
    let of_list = of_list.iter().chain(&[
        "{{ LIST | string }}",
        "{{ LIST | pprint }}",
        "{{ LIST | split }}",
        "{{ LIST is startingwith('x') }}",
        "{{ LIST in 'xx' }}",
        "{{ LIST not in 'xx' }}",
        "{{ 1 if LIST in 'xx' else 2 }}",
        "{{ LIST is in 'xx' }}",
        "{{ ['x'] | select(LIST) | list }}",
        "{{ {'a': LIST} | urlencode }}",
        "{% for a in [1] if LIST in 'xx' %}{% endfor %}",
        "{% macro m(a) %}{{ a ~ '' }}{% endmacro %}{{ m(LIST) }}",
    ]);
    let of_list = of_list.map(|use_of_list| format!("{list}{}", use_of_list.replace("LIST", "([s] * 1000000)")));
    let others = owned(&[
        "{{ 'x' * 10000000000 }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ 'a\nb' | indent(10**10) }}",
        "{{ ('a' * 1000000) | replace('a', 'b' * 1000000) }}",
        "{{ [1] | batch(10**10, 1) }}",
        "{{ [1] | slice(10**10) | list }}",
    ]);
    let sources: Vec<String> = of_list.chain([doubled, shared]).chain(others).collect();
    check_all(&sources, true);
}

#[test]
fn a38_deep_recursion_is_refused() {
    check_all(
        &owned(&[
            "{% macro again(x) %}{{ again(x ~ x) }}{% endmacro %}{{ again('x') }}",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{% macro m() %}{{ caller() }}{% endmacro %}{% macro r() %}{% call m() %}{{ r() }}{% endcall %}{% endmacro %}{{ r() }}",
            "{% block a %}{{ self.a() }}{% endblock %}",
            "{% include 'template' %}",
        ]),
        true,
    );
}

#[test]
fn a38_long_chains_do_not_exhaust_the_stack() {
    let chains = |length: usize| {
        [
            format!("{{{{ 1{} }}}}", " + 1".repeat(length)),
            format!("{{{{ port{} }}}}", " ~ port".repeat(length)),
            format!("{{{{ name{} }}}}", " | upper".repeat(length)),
            format!("{{{{ port{} }}}}", " is defined".repeat(length)),
            format!("{{{{ port{} }}}}", " and port".repeat(length)),
            format!("{{{{ {}port }}}}", "-".repeat(length)),
            format!("{{{{ {}port }}}}", "not ".repeat(length)),
            format!("{{{{ {}2 }}}}", "1 if port else ".repeat(length / 2)),
            format!("{{% if port == 1 %}}{}{{% endif %}}", "{% elif port == 2 %}".repeat(length)),
        ]
    };
    check_all(&chains(290), false);
    check_all(&chains(100_000), true);
    let brackets = [
        format!("{{{{ name{} }}}}", "[0]".repeat(100_000)),
        format!("{{{{ name{} }}}}", "()".repeat(100_000)),
        format!("{{{{ name{} }}}}", ".a".repeat(100_000)),
        format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
        format!("{{{{ {}1{} }}}}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{{{ {}1{} }}}}", "[".repeat(100), "]".repeat(100)),
        format!("{}x{}", "{% if port %}".repeat(100_000), "{% endif %}".repeat(100_000)),
    ];
    check_all(&brackets, true);
    let chain_in_brackets =
        format!("{{{{ {}1{} }}}}", "(".repeat(50), " + 1)".repeat(50).replace(')', " + 1 + 1 + 1 + 1 + 1)"));
    check_all(&[chain_in_brackets], true);
}

#[test]
fn a38_values_nested_by_loops_do_not_exhaust_the_stack() {
    let circle = "{% set ns = namespace() %}{% set ns.me = ns %}";
    let mut sources = owned(&[
        "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = namespace(x=ns.x) %}{% endfor %}",
        "{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns ~ '' }}",
        "{% set ns = namespace() %}{% set ns.a, ns.b = ns, 1 %}{{ ns ~ '' }}",
        "{% set ns = namespace() %}{% for n in [ns] %}{% set ns.x = n %}{% endfor %}{{ ns ~ '' }}",
    ]);
    sources.push(format!("{{% set a = 1 %}}{}", "{% set a = [a] %}".repeat(30_000)));
    sources.push(format!("{{{{ [1]{} }}}}", " | batch(1)".repeat(290)));
    for end in ["{{ ns }}", "{{ ns == ns }}", "{{ [ns, 1] | sort }}", "{{ {ns: 1} | length }}", "{{ ns | tojson }}"] {
        sources.push(format!("{circle}{end}"));
    }
    check_all(&sources, true);
    let (open, close) = ("[".repeat(60), "]".repeat(60));
    let pair = format!("({open}x{close}, {open}y{close})");
    let deep = format!(
        "{{% for x, y in [(1, 1)] recursive %}}{{% if loop.depth < 80 %}}{{{{ loop([{pair}]) }}}}{{% else %}}{{{{ x == y }}}}{{% endif %}}{{% endfor %}}"
    );
    check_all(&[deep], false);
}

#[test]
fn a38_what_the_engine_panics_on_is_a_fault() {
    let source = "{{ 'abc'[::-9223372036854775808] }}";
    let result = evaluate(source);
    assert!(
        result.is_err() || result == Ok(serde_json::json!("a")) || result == Ok(serde_json::json!("c")),
        "{result:?}"
    );
}

#[test]
fn a38_no_template_reads_files() {
    for source in [
        "{% include '/etc/passwd' %}",
        "{% include ['/etc/passwd', '../muster.yaml'] %}",
        "{% extends '/etc/passwd' %}",
        "{% import '/etc/passwd' as p %}",
        "{% from '/etc/passwd' import p %}",
    ] {
        let result = evaluate(source);
        assert!(
            result.as_ref().is_err_and(|reason| reason.contains("templates cannot load other templates")),
            "{source}: {result:?}"
        );
    }
}
