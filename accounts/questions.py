"""The predefined security questions in words. Their keys are what policies and rows name."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

PREDEFINED: Mapping[str, Promise] = MappingProxyType(
    {
        "first_partner_meeting_city": _("In which city did you get to know your first partner?"),
        "parents_meeting_city": _("In which city did your parents get to know each other?"),
        "nearest_sibling_city": _("In which city does the sibling who lives closest to you live?"),
        "fathers_birth_city": _("Which city was your father born in?"),
        "first_job_city": _("In which city did you have your first job?"),
        "mothers_birth_city": _("Which city was your mother born in?"),
        "new_year_2000_city": _("In which city did you see the year 2000 begin?"),
        "first_wedding_reception": _("Where was the party of your first wedding held?"),
        "birth_hospital": _("Which hospital were you born in?"),
        "first_street": _("Which street did you live in first as a child?"),
        "secondary_teacher": _("Which secondary school teacher did you like best (surname)?"),
        "college_not_attended": _("Which college did you apply to without going there?"),
        "sixth_grade_school": _("Which school did you go to in sixth grade?"),
        "primary_teacher": _("Which primary school teacher did you like best (surname)?"),
        "first_school": _("What was the name of your first school?"),
        "school_sport": _("Which sport did you like most at secondary school?"),
        "fathers_middle_name": _("What is your father’s middle name?"),
        "mothers_middle_name": _("What is your mother’s middle name?"),
        "maternal_grandmother": _("What is the full name of your mother’s mother?"),
        "paternal_grandfather": _("What is the full name of your father’s father?"),
        "oldest_sibling_birthday": _("In which month and year was your oldest sibling born?"),
        "oldest_sibling_middle_name": _("What is your oldest sibling’s middle name?"),
        "youngest_sibling_middle_name": _("What is your youngest sibling’s middle name?"),
        "childhood_friend": _("Who was your best friend when you were a child?"),
        "first_love": _("What was the name of your first love?"),
        "childhood_hero": _("Who was your hero when you were a child?"),
        "famous_person": _("Who is the most famous person you have met?"),
        "favourite_food": _("Which dish do you like most?"),
        "first_vehicle": _("Which make and model was your first vehicle?"),
        "stuffed_animal": _("What was your favourite stuffed animal called?"),
        "first_pet": _("What was your first pet called?"),
        "childhood_nickname": _("What were you called for short as a child?"),
        "first_job": _("What was your first job?"),
        "childhood_phone": _("What were the last four digits of your phone number as a child?"),
        "childhood_ambition": _("What did you want to be when you were a child?"),
    }
)


def question_text(key: str) -> str:
    """What is asked: a predefined question in the reader's language, or the tenant's own text."""
    return str(PREDEFINED.get(key, key))
