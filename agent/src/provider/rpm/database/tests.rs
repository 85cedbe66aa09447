use super::architecture_of;

#[test]
fn architectures_have_the_names_of_rpm() {
    assert_eq!(architecture_of("x86_64"), "x86_64");
    assert_eq!(architecture_of("x86"), "i686");
}
