//! Hostile text, and facts that the host did not sign.

use super::*;

#[test]
fn a51_text_of_a_hostile_host_is_inert() {
    let signer = host_signer();
    let mut fleet = fleet_of(1, &signer);
    let hostile = "\u{1b}]0;owned\u{7} `x` | <script>alert(1)</script> [a](javascript:b) @all https://evil.example \u{202e}gpj.exe\n# title\r\n| a | b |";
    let id: HostId = "host-0".parse().unwrap();
    let host = fleet.hosts.get_mut(&id).unwrap();
    let mut report = report_of(host.desired.as_ref().unwrap().content, 0..0);
    report.health = Health::Degraded;
    report.reason = hostile.into();
    report.message = hostile.repeat(1000);
    report.deviations.push(deviation(hostile));
    report.rejections.push(Rejection { code: hostile.into(), message: hostile.into(), at: Timestamp(u64::MAX) });
    let _ = fold_report(host, 9, report, NOW);
    let announce = Announce {
        name: "new".parse().unwrap(),
        recipient: hostile.into(),
        agent: hostile.into(),
        schema: 1,
        facts: plain_facts(hostile),
        replaces: None,
        token: None,
    };
    fleet.pending.insert(signer.public_key(), Pending { announce, replaces: None, first_seen: NOW });
    fold_conditions(&mut fleet, NOW);

    let files = written(&fleet);
    for (path, bytes) in files.iter().filter(|(path, _)| !path.starts_with("facts/")) {
        let text = std::str::from_utf8(bytes).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{path}");
        assert!(path.starts_with("enrolment/") || !text.contains('\u{202e}'), "{path}");
        assert!(bytes.len() < 20_000, "{path} is {} bytes", bytes.len());
    }
    let readme = text(&files, "README.md");
    let rows: Vec<&str> = readme.lines().filter(|line| line.contains("owned")).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].matches('|').count(), 7, "six cells: {}", rows[0]);
    // Every opening of markup is inside a code span.
    let outside: String = rows[0].split('`').step_by(2).collect();
    assert!(!outside.contains(['<', '[', '@', '#']) && !outside.contains("http"), "{outside}");

    // It is read back, and writing it again changes nothing.
    let loaded = load_status(&fleet.fleet, &files, NOW);
    assert!(loaded.refused.is_empty(), "{:?}", loaded.refused);
    assert_eq!(written(&loaded.fleet), files);
}

#[test]
fn a51_a_process_may_call_itself_what_it_likes() {
    let mut fleet = fleet_of(1, &host_signer());
    let id = "host-0".parse().unwrap();
    let transition = fleet.hosts.get_mut(&id).unwrap().transitions.back_mut().unwrap();
    transition.by.as_mut().unwrap().name = Some("\u{1b}]0;owned\u{202e}\n".repeat(100));
    let back = load_status(&fleet.fleet, &written(&fleet), NOW).fleet;
    let by = back.hosts[&id].transitions.back().unwrap().by.clone().unwrap();
    let name = by.name.unwrap();
    assert!(name.starts_with("\u{fffd}]0;owned\u{fffd}\u{fffd}"), "{name:?}");
    assert_eq!((name.chars().count(), by.pid), (256, Some(4711)));
}

#[test]
fn a53_forged_and_misplaced_facts_do_not_count() {
    let (signer, other) = (host_signer(), host_signer());
    let fleet = fleet_of(3, &signer);
    let (one, two): (HostId, HostId) = ("host-1".parse().unwrap(), "host-2".parse().unwrap());
    let good = written(&fleet);
    let identity = |id: &HostId| fleet.hosts[id].desired.as_ref().unwrap().host.clone();

    let forged = facts_of(&fleet.fleet, identity(&one), &other, "forged");
    let of_other_fleet = facts_of(&"other".parse().unwrap(), identity(&one), &signer, "elsewhere");
    let proof = proof_of(&fleet.fleet, &signer);
    let mut flipped = good[&facts_path(&one)].clone();
    *flipped.last_mut().unwrap() ^= 1;
    type Case<'a> = (&'a str, Vec<u8>, Option<Vec<u8>>);
    let cases: [Case<'_>; 7] = [
        ("another key", forged.bytes.clone(), Some(forged.signature.clone().into_bytes())),
        ("another host's", good[&facts_path(&two)].clone(), Some(good[&signature_path(&facts_path(&two))].clone())),
        ("another fleet's", of_other_fleet.bytes.clone(), Some(of_other_fleet.signature.into_bytes())),
        ("a flipped bit", flipped, Some(good[&signature_path(&facts_path(&one))].clone())),
        ("no signature", good[&facts_path(&one)].clone(), None),
        ("a proof", proof.bytes.clone(), Some(proof.signature.clone().into_bytes())),
        ("no message", b"{}".to_vec(), Some(signer.sign(b"{}", "x").unwrap().text().as_bytes().to_vec())),
    ];
    for (what, bytes, signature) in cases {
        let mut files = good.clone();
        files.insert(facts_path(&one), bytes);
        match signature {
            Some(signature) => drop(files.insert(signature_path(&facts_path(&one)), signature)),
            None => drop(files.remove(&signature_path(&facts_path(&one)))),
        }
        let loaded = load_status(&fleet.fleet, &files, NOW);
        assert_eq!(loaded.refused.len(), 1, "{what}");
        assert_eq!(loaded.refused[0].0, facts_path(&one), "{what}");
        assert!(loaded.fleet.hosts[&one].facts.is_none(), "{what}");
        assert!(loaded.fleet.hosts[&two].facts.is_some(), "{what}");
        assert_eq!(loaded.fleet.hosts.len(), 3, "{what}");
    }
}

#[test]
fn a52_a_forged_proof_does_not_count() {
    let (signer, other) = (host_signer(), host_signer());
    let fleet = fleet_of(1, &signer);
    let id: HostId = "host-0".parse().unwrap();
    let mut files = written(&fleet);
    assert_eq!(load_status(&fleet.fleet, &files, NOW).fleet.hosts[&id].enrolment, fleet.hosts[&id].enrolment);
    let forged = proof_of(&fleet.fleet, &other);
    files.insert(enrolment_path(&id), forged.bytes);
    files.insert(signature_path(&enrolment_path(&id)), forged.signature.into_bytes());
    let loaded = load_status(&fleet.fleet, &files, NOW);
    assert_eq!(loaded.refused.len(), 1);
    assert!(loaded.fleet.hosts[&id].enrolment.is_none() && loaded.fleet.hosts[&id].facts.is_some());
}
