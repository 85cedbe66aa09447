use super::{Traces, detect_container, detect_machine};

fn machine(dmi: &str, cpu: Option<&[u8; 12]>) -> Option<&'static str> {
    detect_machine(&Traces { dmi: dmi.to_owned(), cpu_signature: cpu.copied(), ..Traces::default() })
}

#[test]
fn bare_metal_is_nothing() {
    assert_eq!(machine("Dell Inc.\nPowerEdge R650\n", None), None);
    assert_eq!(detect_container(&Traces::default()), None);
}

#[test]
fn firmware_knows_better_than_the_processor() {
    assert_eq!(machine("QEMU\nStandard PC\n", Some(b"KVMKVMKVM\0\0\0")), Some("kvm"));
    assert_eq!(machine("QEMU\nStandard PC\n", Some(b"TCGTCGTCGTCG")), Some("qemu"));
    assert_eq!(machine("innotek GmbH\nVirtualBox\n", Some(b"KVMKVMKVM\0\0\0")), Some("oracle"));
    assert_eq!(machine("Amazon EC2\nm7i.large\n", Some(b"KVMKVMKVM\0\0\0")), Some("amazon"));
    assert_eq!(machine("", Some(b"Microsoft Hv")), Some("microsoft"));
    assert_eq!(machine("", Some(b"who knows 12")), Some("vm-other"));
}

#[test]
fn machines_without_dmi_are_known_by_their_device_tree() {
    let traces = Traces { device_tree: "linux,kvm\0".to_owned(), ..Traces::default() };
    assert_eq!(detect_machine(&traces), Some("kvm"));
}

#[test]
fn a_container_is_named_by_its_manager_first() {
    let mut traces = Traces { docker: true, podman: true, ..Traces::default() };
    assert_eq!(detect_container(&traces).as_deref(), Some("podman"));
    traces.systemd_container = "systemd-nspawn\n".to_owned();
    assert_eq!(detect_container(&traces).as_deref(), Some("systemd-nspawn"));
}
