//! Ten thousand templates of 2 KiB, a hundred thousand strings.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use minijinja::context;

use super::super::{Template, Templates};

#[test]
fn renders_a_fleet_in_seconds() {
    let mut source = String::from("# {{ name }}\n");
    for line in 0..36 {
        writeln!(source, "upstream_{line} {{{{ name }}}}:{{{{ port + {line} }}}} weight={line}; # {}", "x".repeat(24))
            .unwrap();
    }
    source.push_str("{% for host in hosts %}server {{ host.address }}:{{ port }};\n{% endfor %}");
    let template = Template::compile_file(&Arc::from(source.as_str())).unwrap();
    let hosts = vec![context!(address => "10.0.0.1"), context!(address => "10.0.0.2")];
    let scope = context! { name => "web", port => 80, hosts => hosts };
    let rendered = template.evaluate(&scope).unwrap();
    let bytes = rendered.as_str().map_or(0, str::len);
    assert!(bytes > 2_000, "{bytes}");

    let start = cpu_time();
    for _ in 0..10_000 {
        template.evaluate(&scope).unwrap();
    }
    let templates = cpu_time() - start;
    eprintln!("rendered 10,000 templates of {bytes} bytes in {templates:?} of CPU time");

    let strings: Vec<Arc<str>> =
        ["{{ port }}", "{{ name }}.conf", "{{ hosts | map(attribute='address') | list }}", "{{ name ~ port }}"]
            .map(Arc::from)
            .into();
    let compiled = Templates::default();
    let start = cpu_time();
    for index in 0..100_000 {
        let source = strings.get(index % strings.len()).unwrap();
        compiled.string(source).unwrap().evaluate(&scope).unwrap();
    }
    let evaluated = cpu_time() - start;
    eprintln!("evaluated 100,000 strings in {evaluated:?} of CPU time");
    // CPU time, because tests run beside other work; a build that is not optimised takes longer.
    let bound = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 3 });
    assert!(templates + evaluated < bound, "{templates:?} {evaluated:?}");
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}
