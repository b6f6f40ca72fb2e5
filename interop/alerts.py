#!/usr/bin/env python3
"""Our alerts against a mail server and a webhook receiver that others wrote.

aiosmtpd takes the mails: STARTTLS with a certificate of an authority made here, and a login. The
standard library's HTTP server takes the webhooks. Argument: the program. What is told of is real:
a backup that shrank, one that was damaged, and their end.
"""
import base64
import datetime
import email
import email.policy
import hashlib
import hmac
import http.server
import ipaddress
import json
import os
import pathlib
import ssl
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / 'tests' / 'scenario'))

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import check, run_scenarios, sales

PASSWORD = 'correct horse'
SECRET = 'shared key'


def certificate(name, issuer=None, issuer_key=None):
    """A certificate and its key; of itself without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(subject)
               .issuer_name(issuer.subject if issuer else subject).public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(hours=1))
               .not_valid_after(now + datetime.timedelta(days=1))
               .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True))
    if issuer:
        builder = builder.add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address('127.0.0.1'))]), False)
    return builder.sign(issuer_key or key, hashes.SHA256()), key


def write_pem(path, cert, key=None):
    text = cert.public_bytes(serialization.Encoding.PEM)
    if key:
        text += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption())
    path.write_bytes(text)
    return str(path)


class Mailbox:
    """What the server takes; one recipient is refused for good, some answers for now."""

    def __init__(self):
        self.mails = []
        self.busy = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith('nobody@'):
            return '550 no such user'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        if self.busy > 0:
            self.busy -= 1
            return '451 try again later'
        self.mails.append((envelope, bool(session.ssl), session.auth_data))
        return '250 taken'

    def take(self):
        """The mails since the last time, parsed by the standard library."""
        taken, self.mails = self.mails, []
        return [(email.message_from_bytes(e.content, policy=email.policy.default), e, tls, auth)
                for e, tls, auth in taken]


def authenticate(server, session, envelope, mechanism, data):
    good = (isinstance(data, LoginPassword) and data.login == b'holdfast'
            and data.password == PASSWORD.encode())
    return AuthResult(success=good, handled=False, auth_data='holdfast' if good else None)


class FreePortController(Controller):
    """On whatever port is free, which the original does not look up."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class MailServer:
    def __init__(self, folder, starttls=True):
        self.box = Mailbox()
        authority, authority_key = certificate('holdfast test authority')
        mine, my_key = certificate('127.0.0.1', authority, authority_key)
        self.ca_file = write_pem(folder / 'ca.pem', authority)
        options = {}
        if starttls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(write_pem(folder / 'mail.pem', mine, my_key))
            options = {'tls_context': context, 'require_starttls': True,
                       'auth_required': True, 'authenticator': authenticate}
        self.controller = FreePortController(self.box, hostname='127.0.0.1', port=0, **options)
        self.controller.start()
        self.port = self.controller.port

    def stop(self):
        self.controller.stop()


class Hook:
    """A receiver that checks the signature of what it is sent."""

    def __init__(self):
        self.alerts, self.answers = [], []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                status = hook.answers.pop(0) if hook.answers else 204
                signature = 'sha256=' + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
                if self.headers['Holdfast-Signature'] != signature:
                    status = 403
                if status == 204:
                    hook.alerts.append((json.loads(body), self.path))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f'http://127.0.0.1:{self.server.server_port}/hidden/path'

    def take(self):
        taken, self.alerts = self.alerts, []
        return [alert for alert, _ in taken]

    def stop(self):
        self.server.shutdown()


def configure(world, mail, hook, **changes):
    """Writes a configuration with both channels; the secrets are in the environment."""
    os.environ['MAIL_PASSWORD'] = PASSWORD
    os.environ['HOOK_SECRET'] = SECRET
    os.environ['HOOK_URL'] = hook.url
    settings = {'smtp_url': f'smtp://127.0.0.1:{mail.port}', 'username': 'holdfast',
                'password': 'env:MAIL_PASSWORD', 'from': 'holdfast@acme.example',
                'to': ['oncall@acme.example', 'second@acme.example'], 'ca_file': mail.ca_file,
                **changes}
    path = world.root / 'config.yaml'
    path.write_text(json.dumps({'alerts': {'channels': {
        'oncall': {'email': {k: v for k, v in settings.items() if v is not None}},
        'chat': {'webhook': {'url': 'env:HOOK_URL', 'secret': 'env:HOOK_SECRET'}}}}}),
        encoding='utf-8')
    os.environ['HOLDFAST_CONFIG'] = str(path)


def with_receivers(body):
    def scenario(world):
        mail, hook = MailServer(world.root), Hook()
        try:
            configure(world, mail, hook)
            body(world, mail, hook)
        finally:
            os.environ.pop('HOLDFAST_CONFIG', None)
            mail.stop()
            hook.stop()
    scenario.__name__ = body.__name__
    return scenario


@with_receivers
def a_test_reaches_every_channel(world, mail, hook):
    world.run('alert', 'test')
    [(message, envelope, tls, auth)] = mail.box.take()
    check(tls and auth == 'holdfast', f'TLS {tls}, login {auth}')
    check(envelope.rcpt_tos == ['oncall@acme.example', 'second@acme.example'], envelope.rcpt_tos)
    check(envelope.mail_from == 'holdfast@acme.example', envelope.mail_from)
    check(message['subject'] == '[holdfast] INFO: This is a test: alerts reach you',
          message['subject'])
    check('Sent by `holdfast alert test`.' in message.get_content(), message.get_content())
    [alert] = hook.take()
    check(alert['kind'] == 'test' and alert['schema'] == 'holdfast.alert.v1', alert)
    world.run('alert', 'test', '--channel', 'chat')
    check(not mail.box.take() and len(hook.take()) == 1, 'one channel was asked for')
    world.run('alert', 'test', '--channel', 'other', expect=14)


@with_receivers
def what_fails_is_said_and_no_secret_is(world, mail, hook):
    cases = [({'ca_file': None}, 'oncall', 'N0005'), ({'to': ['nobody@acme.example']}, 'oncall', 'N0007'),
             ({'password': 'env:WRONG'}, 'oncall', 'N0008'), ({'password': 'env:ABSENT'}, 'oncall', 'O0003')]
    os.environ['WRONG'] = 'wrong staple'
    for changes, channel, error_id in cases:
        configure(world, mail, hook, **changes)
        out = world.run('alert', 'test', '--channel', channel, expect=None)
        # A secret that is not there is a mistake of the configuration.
        wrong_code = (0, 2) if error_id != 'O0003' else (0,)
        check(world.last_code not in wrong_code and error_id in world.last_error,
              f'{changes}: {world.last_code} {world.last_error}')
        for secret in (PASSWORD, 'wrong staple', base64.b64encode(PASSWORD.encode()).decode()):
            check(secret not in out + world.last_error, 'a secret was shown')
        check(not mail.box.take(), f'{changes}: a mail was taken')
    hook.answers = [404]
    out = world.run('alert', 'test', '--channel', 'chat', expect=None)
    check('O0004' in world.last_error and 'hidden' not in out + world.last_error, world.last_error)


@with_receivers
def a_server_without_tls_gets_no_password(world, mail, hook):
    plain = MailServer(world.root, starttls=False)
    try:
        configure(world, plain, hook)
        world.run('alert', 'test', '--channel', 'oncall', expect=None)
        check(world.last_code != 0 and 'N0005' in world.last_error, world.last_error)
        check(not plain.box.take(), 'a mail went over an open line')
        configure(world, plain, hook, username=None, password=None, starttls='off', ca_file=None)
        world.run('alert', 'test', '--channel', 'oncall')
        [(_, _, tls, auth)] = plain.box.take()
        check(not tls and not auth, 'a relay on this machine is sent to as it is')
    finally:
        plain.stop()


@with_receivers
def trouble_is_told_once_and_so_is_its_end(world, mail, hook):
    sales(world)
    name = 'données-数据'
    world.create_table(f'acme-shop.sales.{name}', [('id', 'INT64')])
    world.query('acme-shop', f'INSERT INTO `acme-shop.sales.{name}` (id) VALUES (1), (2), (3), (4)')
    world.run('backup', 'run')
    check(not mail.box.take() and not hook.take(), 'all is well')
    world.query('acme-shop', f'DELETE FROM `acme-shop.sales.{name}` WHERE id > 1')
    mail.box.busy = 1  # tried again
    hook.answers = [503]
    world.run('backup', 'run', expect=3)
    [(message, _, _, _)] = mail.box.take()
    check(message['subject'] == '[holdfast] CRITICAL: Rows are missing from 1 object',
          message['subject'])
    check(f'acme-shop.sales.{name}' in message.get_content(), message.get_content())
    [alert] = hook.take()
    check(alert['objects'] == [f'acme-shop.sales.{name}'] and not alert['resolved'], alert)
    world.run('backup', 'run', expect=None)
    world.run('alert', 'check')
    check(not mail.box.take() and not hook.take(), 'the same was told twice')
    listed = world.json('alert', 'list')
    check({entry['channel'] for entry in listed['open']} == {'oncall', 'chat'}, listed)
    backups = json.loads(world.run('backup', 'list', f'acme-shop.sales.{name}', '--format=json'))
    world.run('backup', 'accept', backups[0]['backup'])
    world.run('alert', 'check')
    [(message, _, _, _)] = mail.box.take()
    check(message['subject'].startswith('[holdfast] resolved: '), message['subject'])
    [alert] = hook.take()
    check(alert['resolved'], alert)
    check(world.json('alert', 'list')['open'] == [], 'it is over')


@with_receivers
def damage_is_told_of_by_verify_and_by_no_channel_that_fails(world, mail, hook):
    sales(world)
    world.run('backup', 'run')
    bucket = 'acme-shop-holdfast-us'
    data = [at['name'] for at in world.objects(bucket, 'data/acme-shop/sales/people')]
    world.replace_object(bucket, data[0], b'not what it was')
    hook.answers = [400] * 20
    world.run('backup', 'verify', expect=4)
    check('ALERT NOT SENT' in world.last_error, world.last_error)
    [(message, _, _, _)] = mail.box.take()
    check('are damaged' in message['subject'], message['subject'])
    check('acme-shop.sales.people' in message.get_content(), message.get_content())
    hook.answers = []
    world.run('alert', 'check')
    check(not mail.box.take(), 'only the channel that failed is told again')
    [alert] = hook.take()
    check(alert['kind'] == 'verify_defect', alert)


if __name__ == '__main__':
    run_scenarios(a_test_reaches_every_channel, what_fails_is_said_and_no_secret_is,
                  a_server_without_tls_gets_no_password, trouble_is_told_once_and_so_is_its_end,
                  damage_is_told_of_by_verify_and_by_no_channel_that_fails)
