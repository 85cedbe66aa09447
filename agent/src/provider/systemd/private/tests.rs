use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::pump;

/// A message with a sender and a body that holds the same bytes as a sender's field.
fn message(little: bool) -> (Vec<u8>, usize) {
    let number = |number: u32| if little { number.to_le_bytes() } else { number.to_be_bytes() };
    let field = |name: &[u8]| [b"\x07\x01s\0".as_slice(), &number(24), name].concat();
    let fields = field(b"org.freedesktop.systemd1\0");
    let body = field(b"org.freedesktop.systemd1\0");
    let mut message = vec![if little { b'l' } else { b'B' }, 2, 1, 1];
    message.extend(number(body.len() as u32));
    message.extend(number(7));
    message.extend(number(fields.len() as u32));
    message.extend(&fields);
    message.resize(16 + fields.len().next_multiple_of(8), 0);
    let head = message.len();
    message.extend(&body);
    (message, head)
}

#[tokio::test]
async fn the_sender_gets_a_unique_name_and_nothing_else_changes() {
    for (little, chunk) in [(true, 1), (true, 4096), (false, 7)] {
        let (systemd, mut systemd_end) = UnixStream::pair().expect("a pair");
        let (library, mut library_end) = UnixStream::pair().expect("a pair");
        let pump = tokio::spawn(pump(systemd, library));
        library_end.write_all(b"\0AUTH EXTERNAL 30\r\n").await.expect("asked");
        let mut asked = [0; 19];
        systemd_end.read_exact(&mut asked).await.expect("passed on");
        assert_eq!(&asked, b"\0AUTH EXTERNAL 30\r\n");

        let (message, head) = message(little);
        let told = [b"OK 0123\r\n".as_slice(), &message, &message].concat();
        for piece in told.chunks(chunk) {
            systemd_end.write_all(piece).await.expect("told");
        }
        let mut heard = vec![0; told.len()];
        library_end.read_exact(&mut heard).await.expect("passed on");
        assert_eq!(&heard[..9], b"OK 0123\r\n");
        for heard in heard[9..].chunks(message.len()) {
            assert_eq!(&heard[24..49], b":1.systemd-private-bus-0\0");
            assert_eq!(heard[49..head], message[49..head]);
            assert_eq!(heard[head..], message[head..], "a body is nobody's sender");
        }
        drop(systemd_end);
        assert_eq!(library_end.read(&mut [0]).await.expect("ended"), 0);
        pump.await.expect("ended");
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_it() {
    let (systemd, mut systemd_end) = UnixStream::pair().expect("a pair");
    let (library, mut library_end) = UnixStream::pair().expect("a pair");
    let pump = tokio::spawn(pump(systemd, library));
    let mut message = b"l\x02\0\x01".to_vec();
    message.extend([0xff; 12]);
    systemd_end.write_all(&message).await.expect("told");
    assert_eq!(library_end.read(&mut [0]).await.expect("ended"), 0);
    pump.await.expect("ended");
}
