//! `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Tag};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::data_key::DataKey;
use super::tree::Leaf;

/// A value as it is encrypted.
pub(super) struct SealedValue {
    data: Vec<u8>,
    iv: Vec<u8>,
    tag: [u8; 16],
    kind: String,
}

/// A value that was opened.
pub(super) enum Opened {
    /// A remark of people; no value.
    Comment,
    /// A value.
    Value {
        /// The bytes that the MAC is of.
        hashed: Zeroizing<Vec<u8>>,
        /// What SOPS shows for it.
        content: Zeroizing<Vec<u8>>,
    },
}

impl SealedValue {
    /// The value of a leaf; none when it is not encrypted.
    pub(super) fn load(leaf: &Leaf) -> Result<Option<SealedValue>, &'static str> {
        if !leaf.string || !leaf.text.starts_with("ENC[AES256_GCM,") {
            return Ok(None);
        }
        parse(&leaf.text).map(Some).ok_or("is no value as SOPS encrypts it")
    }

    /// Opens it; `data` is what it is bound to.
    pub(super) fn open(self, key: &DataKey, data: &str) -> Result<Opened, &'static str> {
        let SealedValue { data: bytes, iv, tag, kind } = self;
        let bytes = match iv.len() {
            // SOPS itself takes 32 bytes; others that write its files take what is common.
            32 => decrypt::<U32>(key, bytes, &iv, &tag, data),
            16 => decrypt::<U16>(key, bytes, &iv, &tag, data),
            12 => decrypt::<U12>(key, bytes, &iv, &tag, data),
            _ => return Err("has a nonce of no known length"),
        };
        let bytes = bytes.ok_or("does not open: it was changed, or belongs to another key")?;
        let content = match (kind.as_str(), bytes.as_slice()) {
            ("comment", _) => return Ok(Opened::Comment),
            ("str" | "bytes" | "int" | "int64" | "float" | "time", _) => bytes.clone(),
            ("bool", b"True" | b"true") => Zeroizing::new(b"true".to_vec()),
            ("bool", b"False" | b"false") => Zeroizing::new(b"false".to_vec()),
            _ => return Err("is of no known type"),
        };
        Ok(Opened::Value { hashed: bytes, content })
    }
}

fn parse(text: &str) -> Option<SealedValue> {
    let fields = text.strip_prefix("ENC[AES256_GCM,data:")?.strip_suffix(']')?;
    let (data, fields) = fields.split_once(",iv:")?;
    let (iv, fields) = fields.split_once(",tag:")?;
    let (tag, kind) = fields.split_once(",type:")?;
    let [data, iv, tag] = [data, iv, tag].map(|field| STANDARD.decode(field).ok());
    Some(SealedValue { data: data?, iv: iv?, tag: tag?.try_into().ok()?, kind: kind.to_owned() })
}

fn decrypt<N: ArrayLength<u8>>(
    key: &DataKey,
    bytes: Vec<u8>,
    iv: &[u8],
    tag: &[u8; 16],
    data: &str,
) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = AesGcm::<Aes256, N>::new(GenericArray::from_slice(&*key.0));
    let mut bytes = Zeroizing::new(bytes);
    let nonce = GenericArray::<u8, N>::from_slice(iv);
    cipher.decrypt_in_place_detached(nonce, data.as_bytes(), &mut bytes, Tag::from_slice(tag)).ok()?;
    Some(bytes)
}
