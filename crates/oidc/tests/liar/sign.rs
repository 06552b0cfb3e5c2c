//! Keys and signatures of the lying provider.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key for tests, which signs nothing anywhere else.
const RSA: &str = include_str!("../../../targets/tests/fixtures/service-account.pem");

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    Rsa,
    Ec,
    Ed,
}

pub struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    stranger: EcdsaKeyPair,
    random: SystemRandom,
}

impl Keys {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let body: String = RSA.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        let ec = |random: &SystemRandom| {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random).unwrap();
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), random).unwrap()
        };
        let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            rsa: RsaKeyPair::from_pkcs8(&der).unwrap(),
            ec: ec(&random),
            ed: Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap(),
            stranger: ec(&random),
            random,
        }
    }

    /// The public halves, under the names that [`Self::header`] gives them.
    pub fn set(&self) -> Value {
        let rsa: PublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        let mut ec = ec_jwk(&self.ec);
        ec["kid"] = json!("ec-1");
        json!({ "keys": [
            { "kty": "RSA", "kid": "rsa-1", "use": "sig", "alg": "RS256", "n": encode(rsa.n), "e": encode(rsa.e) },
            ec,
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed-1", "use": "sig", "x": encode(self.ed.public_key()) },
        ] })
    }

    /// The key that nobody has been told of.
    pub fn stranger(&self) -> Value {
        ec_jwk(&self.stranger)
    }

    pub fn header(signer: Signer) -> Value {
        match signer {
            Signer::Rsa => json!({ "alg": "RS256", "kid": "rsa-1", "typ": "JWT" }),
            Signer::Ec => json!({ "alg": "ES256", "kid": "ec-1", "typ": "JWT" }),
            Signer::Ed => json!({ "alg": "EdDSA", "kid": "ed-1", "typ": "JWT" }),
        }
    }

    pub fn sign(&self, signer: Signer, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = match signer {
            Signer::Rsa => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            Signer::Ec => self.ec.sign(&self.random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Signer::Ed => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", encode(signature))
    }

    pub fn sign_as_a_stranger(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        format!("{signed}.{}", encode(self.stranger.sign(&self.random, signed.as_bytes()).unwrap()))
    }

    /// The public RSA key as the bytes that a careless verifier would take for the secret.
    pub fn public_bytes(&self) -> Vec<u8> {
        self.rsa.public().as_ref().to_vec()
    }
}

fn ec_jwk(key: &EcdsaKeyPair) -> Value {
    let point = &key.public_key().as_ref()[1..];
    json!({ "kty": "EC", "crv": "P-256", "use": "sig", "x": encode(&point[..32]), "y": encode(&point[32..]) })
}

pub fn hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(mac.finalize().into_bytes()))
}

/// The left half of a hash, as `at_hash` has it.
pub fn half_hash(text: &str) -> String {
    encode(&Sha256::digest(text.as_bytes())[..16])
}

pub fn challenge(verifier: &str) -> String {
    encode(Sha256::digest(verifier.as_bytes()))
}
