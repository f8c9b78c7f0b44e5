//! Which certificates are believed, and where they may be fetched.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use url::{Host, Url};

/// Where messages come from, and so which URLs in them are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// AWS: `https://sns.<region>.amazonaws.com`, or `.com.cn`.
    Aws,
    /// A local GameLift: nothing but this scheme, host and port.
    Local(url::Origin),
}

/// A URL in a message that leads to somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {0} does not lead to SNS")]
pub struct Foreign(pub &'static str);

impl Origin {
    /// A `SigningCertURL` that may be fetched.
    ///
    /// # Errors
    ///
    /// [`Foreign`].
    pub fn certificate_url(&self, text: &str) -> Result<Url, Foreign> {
        let url = self.allow(text).ok_or(Foreign("SigningCertURL"))?;
        // The host answers API calls, too, and some answers hold what a stranger has written, such as a topic's policy: a PEM
        // in it would be taken for SNS's. A certificate is a file, without a query.
        let file = url.query().is_none() && url.fragment().is_none();
        let named = match self {
            Self::Local(_) => url.path().ends_with(".pem"),
            Self::Aws => url
                .path()
                .strip_prefix("/SimpleNotificationService-")
                .and_then(|rest| rest.strip_suffix(".pem"))
                .is_some_and(|name| {
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
                }),
        };
        if file && named { Ok(url) } else { Err(Foreign("SigningCertURL")) }
    }

    /// A `SubscribeURL` that may be visited.
    ///
    /// # Errors
    ///
    /// [`Foreign`].
    pub fn subscribe_url(&self, text: &str) -> Result<Url, Foreign> {
        self.allow(text).ok_or(Foreign("SubscribeURL"))
    }

    fn allow(&self, text: &str) -> Option<Url> {
        // Some readers of URLs drop control characters and take `\` for `/`; a URL of SNS has neither.
        if text.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let known = match self {
            Self::Local(origin) => url.origin() == *origin,
            // `port` is none for the scheme's own: 443.
            Self::Aws => url.scheme() == "https" && url.port().is_none() && aws_host(url.host()),
        };
        (plain && known && !text.contains('@')).then_some(url)
    }
}

fn aws_host(host: Option<Host<&str>>) -> bool {
    let Some(Host::Domain(host)) = host else { return false };
    let region = host.strip_prefix("sns.").and_then(|rest| {
        rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))
    });
    region.is_some_and(|region| {
        let letters = region.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        letters && !region.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_come_from_sns_alone() {
        let good = [
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-abc.pem",
            "https://sns.us-gov-west-1.amazonaws.com:443/SimpleNotificationService-abc.pem",
        ];
        for url in good {
            assert!(Origin::Aws.certificate_url(url).is_ok(), "{url}");
        }
        let bad = [
            "https://sns.eu-west-1.amazonaws.com.evil.tld/SimpleNotificationService-abc.pem",
            "https://sns.eu-west-1.amazonaws.com@evil.tld/SimpleNotificationService-abc.pem",
            "https://user:pass@sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://@sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-abc.pem",
            "https://evil.tld/sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://evil.tld#sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://evil.tld\\.sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://evil.tld/\\sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns.evil.tld.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns..amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://s3.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-abc.pem",
            "https://xsns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://sns.eu-west-1.amazonaws.com./SimpleNotificationService-abc.pem",
            "https://sns.eu-west-1.amazonaws.com/a.txt",
            "https://sns.eu-west-1.amazonaws.com/a.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem/",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a/b.pem",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem?Action=GetTopicAttributes",
            "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem#a",
            "https://sns.eu-west-1.amazonaws.com/?Action=GetTopicAttributes&a=/SimpleNotificationService-abc.pem",
            "https://sns.eu-\twest-1.amazonaws.com/SimpleNotificationService-abc.pem",
            "https://169.254.169.254/SimpleNotificationService-abc.pem",
            "file:///etc/SimpleNotificationService-abc.pem",
            "a.pem",
            "",
        ];
        for url in bad {
            assert!(Origin::Aws.certificate_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_local_gamelift_is_asked_at_its_own_address_only() {
        let local = Origin::Local(Url::parse("http://127.0.0.1:9080").unwrap().origin());
        assert!(local.certificate_url("http://127.0.0.1:9080/_sns/certificate.pem").is_ok());
        assert!(local.subscribe_url("http://127.0.0.1:9080/?Action=ConfirmSubscription").is_ok());
        for url in [
            "http://127.0.0.1:9081/certificate.pem",
            "https://127.0.0.1:9080/certificate.pem",
            "http://localhost:9080/certificate.pem",
            "http://127.0.0.1:9080@evil.tld/certificate.pem",
            "https://sns.eu-west-1.amazonaws.com/a.pem",
        ] {
            assert!(local.certificate_url(url).is_err(), "{url}");
            assert!(local.subscribe_url(url).is_err(), "{url}");
        }
    }
}
