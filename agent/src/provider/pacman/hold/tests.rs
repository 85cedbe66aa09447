use super::edit_settings;

const SETTINGS: &str = "# mine\n[options]\nHoldPkg = pacman\nIgnorePkg = linux nginx\n[core]\nServer = x\n";

#[test]
fn names_come_and_go_and_the_rest_stays() {
    let held = edit_settings(SETTINGS, &["probe"], true);
    assert_eq!(held, SETTINGS.replace("[options]\n", "[options]\nIgnorePkg = probe\n"));
    assert_eq!(edit_settings(&held, &["probe"], false), SETTINGS);
    assert_eq!(edit_settings(SETTINGS, &["nginx"], false), SETTINGS.replace("linux nginx", "linux"));
    assert_eq!(edit_settings("no options\n", &["nginx"], false), "no options\n");
}
