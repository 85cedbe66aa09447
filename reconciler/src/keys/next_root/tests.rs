#![allow(clippy::unwrap_used)]
use minisign::KeyPair;
use muster_schema::root::{Roles, RootType};

use super::*;

fn key() -> PublicKey {
    KeyPair::generate_unencrypted_keypair().unwrap().pk.to_base64().parse().unwrap()
}

fn root() -> Root {
    let role = || Role { threshold: 1, keys: vec![key()] };
    Root {
        r#type: RootType::Is,
        fleet: "shop".parse().unwrap(),
        version: 3,
        epoch: 1,
        expires: Timestamp(5),
        roles: Roles { root: role(), render: role(), fresh: role(), witness: Role::none(), breakglass: Role::none() },
    }
}

#[test]
fn a_new_key_takes_the_place_of_the_old_or_stands_beside_it() {
    let (current, new) = (root(), key());
    let mut next = NextRoot::after(&current, Timestamp(9));
    next.add_key(RoleName::Render, new, false).unwrap();
    assert_eq!((next.root().version, next.root().expires, next.root().epoch), (4, Timestamp(9), 1));
    assert_eq!(next.root().roles.render.keys, [new]);
    assert_eq!(next.root().roles.fresh, current.roles.fresh);
    let mut next = NextRoot::after(&current, Timestamp(9));
    next.add_key(RoleName::Render, new, true).unwrap();
    assert_eq!(next.root().roles.render.keys, [current.roles.render.keys[0], new]);
    let refused = next.add_key(RoleName::Render, key(), false);
    assert_eq!(refused, Err(ChangeError::SeveralKeys { role: RoleName::Render, count: 2 }));
}

#[test]
fn a_revoked_key_leaves_no_role_below_its_threshold() {
    let (current, new) = (root(), key());
    let old = current.roles.fresh.keys[0];
    let mut next = NextRoot::after(&current, Timestamp(9));
    let last = next.clone().revoke(&old.id().to_string());
    assert!(matches!(last, Err(ChangeError::BelowThreshold { role: RoleName::Fresh, remaining: 0, needed: 1, .. })));
    next.add_key(RoleName::Fresh, new, true).unwrap();
    assert_eq!(next.revoke(&old.id().to_string().to_lowercase()), Ok((RoleName::Fresh, old)));
    assert_eq!(next.root().roles.fresh.keys, [new]);
    let unknown = next.revoke(&old.id().to_string()).unwrap_err().to_string();
    assert!(unknown.contains(&new.id().to_string()), "it names those that are: {unknown}");
}
