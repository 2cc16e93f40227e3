"""Every sentence that the phone line says, by its key; the other language is in the catalogue.

A sentence is written to be heard: short, what is asked for at its end, and no mark that a voice
would read out. Keys that are pressed are never written into one: menus say which they are.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine.errors import InputError
from engine.i18n import Language, translations
from engine.i18n.upkeep import placeholders


def N_(text: str) -> str:  # noqa: N802  the name by which strings are found for the catalogue
    """`text`, to be translated when it is said."""
    return text


PROMPTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "demonstration": N_("This is a demonstration. It is not a line of a government agency."),
        "welcome": N_("Welcome to %(programme)s, of %(agency)s."),
        "begin_again": N_("We are sorry: we lost our place in this call, and have to begin again."),
        "trouble": N_("We are sorry: something is not working on our side right now."),
        "call_later": N_("Please call again in a few minutes. Goodbye."),
        "not_heard": N_("Sorry, I did not hear you."),
        "not_understood": N_("Sorry, I did not understand."),
        "take_your_time": N_("Take your time: there is no hurry."),
        "language_english": N_("For English, say English, or press %(key)s."),
        "language_spanish": N_("For Spanish, say Spanish, or press %(key)s."),
        "parent": N_(
            "You can say Agent, or press %(agent_key)s, at any time. "
            "Are you a parent or guardian? Say Yes or No."
        ),
        "yes": N_("For Yes, press %(key)s."),
        "no": N_("For No, press %(key)s."),
        "participant_id": N_(
            "Please enter, or say, your %(number_digits)s-digit Participant ID Number."
        ),
        "participant_id_help": N_(
            "You can find your Participant ID Number on a child support check, or on a child "
            "support billing statement."
        ),
        "confirm_number": N_("You entered: %(number)s. Is that right? Say Yes or No."),
        "pin": N_("Please enter your %(pin_digits)s-digit PIN."),
        "pin_unknown": N_(
            "If you do not know it, say, I don't know it; or press %(key)s, and then the pound key."
        ),
        "not_let_in": N_(
            "That number and PIN did not open an account. Let us try again. If you cannot remember "
            "your PIN, you can have it reset."
        ),
        "not_let_in_often": N_("That number and PIN did not open an account."),
        "too_many": N_("There were too many tries for now. Please try again later."),
        "signed_out": N_("For your protection you were signed out. Please sign in again."),
        "reset": N_("Would you like to reset your PIN? Say Yes or No."),
        "reset_method": N_(
            "Where would you like your new temporary PIN sent? It goes only to what we have "
            "on file."
        ),
        "reset_email": N_(
            "For your email address, within one business day, say Email, or press %(key)s."
        ),
        "reset_mail": N_(
            "For your mailing address, in 5 to 10 business days, say Mailing Address, or press "
            "%(key)s."
        ),
        "reset_number": N_(
            "So that we know whose PIN to reset, please enter, or say, your "
            "%(number_digits)s-digit Participant ID Number."
        ),
        "promised": N_(
            "Thank you. If that number and the address are on file, a temporary PIN is on its way, "
            "and should arrive by %(due)s. Until you use it, your present PIN works."
        ),
        "after_reset": N_("Is there anything else?"),
        "general_choice": N_("For general information, press %(key)s."),
        "main": N_("Main Menu."),
        "main_payments": N_("For payments, say Payments, or press %(key)s."),
        "main_pin": N_("To change your PIN, say PIN change, or press %(key)s."),
        "goodbye_choice": N_("To end this call, say Goodbye, or press %(key)s."),
        "payments": N_("Payments."),
        "payments_ways": N_(
            "For direct deposit, the Electronic Payment Card, or to make a payment, press %(key)s."
        ),
        "payments_recent": N_(
            "For recent payments that you made, and payments that you are expecting, press %(key)s."
        ),
        "back_to_main": N_("For the Main Menu, press %(key)s."),
        "back_to_main_entry": N_("For the Main Menu, press %(key)s, and then the pound key."),
        "ways_to_pay": N_(
            "You can have your payments sent by direct deposit to your bank account, or to an "
            "Electronic Payment Card. If you pay support, you can pay by card or from your bank "
            "account. You can find out how to start on our website, %(site)s. An agent can help "
            "you with it too. A payment cannot be made with your PIN alone."
        ),
        "payment_made": N_("You paid %(amount)s on %(date)s."),
        "payment_sent": N_("We sent you %(amount)s on %(date)s."),
        "payment_expected": N_("A payment of %(amount)s to you is expected on %(date)s."),
        "expected_monthly": N_(
            "In your case that ends in %(case)s, %(amount)s of support to you is ordered every "
            "month. It is sent to you when it is paid."
        ),
        "no_payments_made": N_("We have no recent payment by you on record."),
        "no_payments_sent": N_("We have no recent payment to you on record."),
        "nothing_expected": N_("We do not know of any payment that is on its way to you."),
        "no_payments": N_("We have no payments on record for you."),
        "choose_first": N_(
            "You signed in with a temporary PIN. Before anything else, please choose a PIN of your "
            "own."
        ),
        "current_pin": N_("Please enter the PIN that you have now."),
        "current_wrong": N_("That is not your PIN."),
        "new_pin": N_("Please enter a new %(pin_digits)s-digit PIN that nobody would guess."),
        "confirm_pin": N_("Please enter the new PIN once more."),
        "pin_easy": N_("That PIN is too easy to guess."),
        "pin_of_the_number": N_("That PIN is a part of your Participant ID Number."),
        "pin_same": N_("That is the PIN you have now. Please choose another."),
        "pin_differs": N_("The two were not the same. Please choose your new PIN again."),
        "pin_changed": N_("Your PIN is changed. We will send you a notice that it was."),
        "not_parent": N_("For general information, say None of these, or press %(key)s."),
        "not_parent_intro": N_("You said that you are not a parent or guardian."),
        "parent_after_all": N_("If you are a parent or guardian after all, press %(key)s."),
        "general": N_("General information."),
        "general_service": N_("To hear what this service does, press %(key)s."),
        "general_apply": N_("To hear how to apply for child support services, press %(key)s."),
        "general_numbers": N_("For our other telephone numbers and our hours, press %(key)s."),
        "about_service": N_(
            "%(programme)s is the self-service website and telephone line for parents and "
            "guardians with a child support case. It tells you about your case, your payments, "
            "your court dates and your appointments, 24 hours a day, 7 days a week, on "
            "%(site)s and at %(phone)s."
        ),
        "about_applying": N_(
            "Anyone may apply for child support services. On our website, %(site)s, choose Start "
            "an Application Today. You can also ask an agent for the forms."
        ),
        "about_numbers": N_(
            "For people who are deaf, hard of hearing or speech impaired, our TTY number is "
            "%(tty)s. From outside the United States, call %(abroad)s."
        ),
        "hours": N_(
            "Our agents answer Monday to Friday from %(opens)s to %(closes)s, Pacific time, except "
            "on state holidays."
        ),
        "agent_connecting": N_("Please hold: we are connecting you with an agent."),
        "agent_closed": N_(
            "Our agents are not available right now. They will be back on %(next_open)s."
        ),
        "agent_unreachable": N_("No agent could take your call just now."),
        "goodbye": N_("Thank you for calling. Goodbye."),
        "goodbye_for_now": N_("Please call again when it suits you. Goodbye."),
    }
)
"""Key → the sentence in English, with the names of its values."""


def sentence(key: str, language: Language, values: Mapping[str, str]) -> str:
    """The sentence of `key` in `language`, with its values put in.

    Raises InputError for a key that is none, MissingTranslationError for one without a translation.
    """
    return translated(key, language) % values


def translated(key: str, language: Language) -> str:
    """The sentence of `key` in `language`, with its values still to be put in; likewise."""
    return translations(language).gettext(_source(key))


def values_of(key: str) -> set[str]:
    """The names of the values that the sentence of `key` has places for."""
    return placeholders(_source(key))


def _source(key: str) -> str:
    try:
        return PROMPTS[key]
    except KeyError:
        raise InputError(f"there is no prompt {key!r}") from None
