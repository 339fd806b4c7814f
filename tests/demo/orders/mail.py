"""Letters to customers."""

import smtplib
from email.message import EmailMessage


def send(customer: str, text: str) -> None:
    message = EmailMessage()
    message["To"] = customer
    message["Subject"] = "Your order"
    message.set_content(text)
    with smtplib.SMTP("mail.internal") as server:
        server.send_message(message)
