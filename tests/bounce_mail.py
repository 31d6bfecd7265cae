"""Mail that comes back to a bounce address, as real mail servers write it."""

VERP = "post-bounces+0a1b2c@seminar.example"


def delivery_report(action: str = "failed", status: str = "5.1.1", to: str = VERP) -> bytes:
    return f"""From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4ABC
Arrival-Date: Mon,  1 Mar 2027 10:00:00 +0100 (CET)

Final-Recipient: rfc822; somebody.else@forwarded.example
Original-Recipient: rfc822;ada@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected

--b1
Content-Type: message/rfc822

From: post@seminar.example
To: ada@example.org
Subject: Reminder

Soon.
--b1--
""".replace("\n", "\r\n").encode()


def complaint(kind: str = "abuse", sender: str = f"<{VERP}>") -> bytes:
    return f"""From: <abusedesk@example.com>
To: post-bounces@seminar.example
Subject: FW: Reminder
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
 boundary="part1"

--part1
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--part1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: {sender}

--part1
Content-Type: message/rfc822

From: post@seminar.example
List-Unsubscribe: <https://seminar.example/unsubscribe/AbCdEfGhIjKlMnOp0123456789012345678901>,
 <mailto:post-unsubscribe@seminar.example>
Subject: Reminder

Soon.
--part1--
""".encode()


AUTO_REPLY = f"""From: ada@example.org
To: {VERP}
Subject: Out of office: 550 user unknown is what I say
Auto-Submitted: auto-replied (vacation)

The address bob@example.org no longer exists, write to me from Monday on.
""".encode()
EXIM = f"""Return-path: <>
To: {VERP}
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
Subject: Mail delivery failed: returning message to sender
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-type: text/plain

A message that you sent could not be delivered.
--x
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Action: failed
Final-Recipient: rfc822;ada@example.org
Status: 5.0.0
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 No such user

--x--
""".encode()
QMAIL = f"""From: MAILER-DAEMON@mx.example.org
To: {VERP}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
192.0.2.1 does not like recipient.
Remote host said: 550 unknown user
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Subject: Reminder
""".encode()


def request_to_leave(subject: str, more: str = "") -> bytes:
    """What a mail program writes to the address in List-Unsubscribe."""
    return f"""From: ada@example.org
To: post-unsubscribe@seminar.example
Subject: {subject}
{more}Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

This message was written by a mail program.
""".replace("\n", "\r\n").encode()
