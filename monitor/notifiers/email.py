"""Alert mails over SMTP."""

import contextlib
import ipaddress
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from monitor.alerts.model import Message, Receiver
from monitor.alerts.notification import mail_of
from monitor.errors import ControlError, DeliveryError
from monitor.notifiers.model import Receipt, RefusedError
from monitor.notifiers.scrub import scrub
from monitor.settings import Settings

_TIMEOUT: Final = 10.0
_SUBMISSION_PORT: Final = 587
_SMTPS_PORT: Final = 465
_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in, and who hands it in."""

    host: str
    port: int
    is_implicit_tls: bool
    sender: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "MailServer":
        """Read it from the settings; the sender is the user of the server when none is set.

        Raises:
            DeliveryError: a setting is missing or cannot be used. It may be mended, so trying again can help.
        """
        if settings.smtp_url is None:
            raise DeliveryError("No mail server is set; set MONITOR_SMTP_URL.", is_permanent=False)
        parts = urlsplit(settings.smtp_url)
        user = unquote(parts.username) if parts.username else None
        is_implicit_tls = parts.scheme == "smtps"
        name, addr_spec = parseaddr(settings.smtp_from or user or "")
        try:
            sender = _address(addr_spec, name)
        except ControlError:
            raise DeliveryError("No sender of alert mails is set; set MONITOR_SMTP_FROM.", is_permanent=False) from None
        return cls(
            host=parts.hostname or "",
            port=parts.port or (_SMTPS_PORT if is_implicit_tls else _SUBMISSION_PORT),
            is_implicit_tls=is_implicit_tls,
            sender=sender,
            user=user,
            password=unquote(parts.password) if parts.password else None,
        )


class EmailNotifier:
    """Sends each message as one mail to all addresses of a receiver."""

    def __init__(
        self, *, server: MailServer, to: Sequence[str], tls: ssl.SSLContext | None = None, timeout: float = _TIMEOUT
    ) -> None:
        """Hand mail in at `server`; `tls` None trusts what the system trusts, `timeout` holds for each SMTP step."""
        self._server = server
        self._to = tuple(to)
        self._tls = tls or ssl.create_default_context()
        self._timeout = timeout

    def notify(self, message: Message) -> Receipt:
        """Send it. If only some of the addresses are refused, that is a success which names their number."""
        mail = _mail(message, self._server.sender, self._to)
        try:
            refused = self._send(mail)
        except smtplib.SMTPException as error:
            raise self._explain(error) from None
        except OSError as error:
            raise DeliveryError(
                f"The mail server {self._server.host} could not be used: {self._scrub(str(error))}.", is_permanent=False
            ) from None
        detail = f"{self._server.host} took the mail"
        if refused:
            detail += f", but not for {len(refused)} of {len(self._to)} addresses"
        return Receipt(status=250, detail=f"{detail}.")

    def _send(self, mail: EmailMessage) -> Mapping[str, Any]:
        smtp = self._connect()
        try:
            self._log_in(smtp)
            refused = smtp.send_message(mail, from_addr=self._server.sender.addr_spec, to_addrs=self._to)
            # The server has the mail now; a failure to say goodbye must not send it twice.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            return refused
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.is_implicit_tls:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(server.host, server.port, timeout=self._timeout)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        server = self._server
        smtp.ehlo_or_helo_if_needed()
        is_private = server.is_implicit_tls or _is_loopback(server.host)
        if not server.is_implicit_tls and smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
            smtp.ehlo()
            is_private = True
        if server.user is None or server.password is None:
            return
        if not is_private:
            raise DeliveryError(
                f"The mail server {server.host} offers no encryption (STARTTLS), so the password is not sent to it.",
                is_permanent=False,
            )
        smtp.login(server.user, server.password)

    def _explain(self, error: smtplib.SMTPException) -> DeliveryError:
        host = self._server.host
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            codes = [code for code, _ in error.recipients.values()]
            texts = [_decoded(text) for _, text in error.recipients.values()]
            return RefusedError(
                f"The mail server {host} refused every address with {codes[0]}: {self._scrub(texts[0])}",
                status=codes[0],
                is_permanent=min(codes) >= _PERMANENT,
            )
        if isinstance(error, smtplib.SMTPResponseException):
            # A wrong password is answered with 535, but is ours to mend, not the message's fault.
            is_login = isinstance(error, smtplib.SMTPAuthenticationError)
            return RefusedError(
                f"The mail server {host} answered {error.smtp_code}: {self._scrub(_decoded(error.smtp_error))}",
                status=error.smtp_code,
                is_permanent=error.smtp_code >= _PERMANENT and not is_login,
            )
        return DeliveryError(
            f"The mail server {host} could not be used: {self._scrub(str(error))}.",
            is_permanent=isinstance(error, smtplib.SMTPNotSupportedError),
        )

    def _scrub(self, text: str) -> str:
        return scrub(text, [self._server.password or ""])


def email_config(addresses: Sequence[str]) -> dict[str, list[str]]:
    """What the control store keeps of an email receiver.

    Raises:
        ControlError: there is no address, or one cannot be used.
    """
    if not addresses:
        raise ControlError("An email receiver needs at least one address.")
    return {"to": list(dict.fromkeys(_address(address).addr_spec for address in addresses))}


def email_notifier(receiver: Receiver, settings: Settings) -> EmailNotifier:
    """The notifier of an email receiver."""
    return EmailNotifier(server=MailServer.of(settings), to=receiver.config["to"])


def describe(config: Mapping[str, Any]) -> str:
    """The addresses."""
    return ", ".join(config["to"])


def _address(addr_spec: str, name: str = "") -> Address:
    try:
        address = Address(display_name=name, addr_spec=addr_spec)
    except (MessageError, ValueError, IndexError):
        address = Address()
    if not address.username or not address.domain or any(character.isspace() for character in addr_spec):
        raise ControlError(f"{addr_spec!r} is not a mail address; write it like alerts@example.com.")
    return address


def _mail(message: Message, sender: Address, to: Sequence[str]) -> EmailMessage:
    content = mail_of(message)
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["Subject"] = content.subject
    mail["From"] = sender
    mail["To"] = [Address(addr_spec=address) for address in to]
    mail["Date"] = format_datetime(message.sent_at)
    mail["Message-ID"] = f"<{message.id}@{sender.domain}>"
    # All mails about one alert, repeated ones too, stand in one thread.
    mail["References"] = f"<{message.alert.fingerprint}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text)
    mail.add_alternative(content.html, subtype="html")
    return mail


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _decoded(text: bytes | str) -> str:
    return text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
