"""Values are printed only where escaping makes them harmless, in HTML as a browser reads it, and in headers."""

import pytest

from tactful.decisions.base.errors import ConditionError
from tactful.decisions.base.texts.text import Text
from tactful.decisions.loading import inspect_catalogue
from tests.decisions.retailer import CATALOGUE, LAPSING, VOCABULARY, compiled, decided, having, reasons

NAME = "{{ customer.name | default: 'x' }}"
UNSAFE = {
    "<a title={}>": "the attribute 'title' without quotes of <a>",
    "<a title=x{}>": "the attribute 'title' without quotes of <a>",
    "<a href\n=\n{}>": "the attribute 'href' without quotes of <a>",
    "<script>var x = '{}'</script>": "<script>",
    "<SCRIPT>{}</SCRIPT>": "<script>",
    "<script>if (a<b) '</scrip' + {}</script>": "<script>",
    "<style>a {{ color: {} }}</style>": "<style>",
    "<a onclick=\"f('{}')\">": "the attribute 'onclick' of <a>",
    "<a ONMOUSEOVER='{}'>": "the attribute 'onmouseover' of <a>",
    '<p style="color: {}">': "the attribute 'style' of <p>",
    '<iframe srcdoc="{}">': "the attribute 'srcdoc' of <iframe>",
    '<img srcset="{} 2x">': "the attribute 'srcset' of <img>",
    '<meta content="0; url={}">': "the attribute 'content' of <meta>",
    "<{}>": "a tag",
    "</{}>": "a tag",
    "<a {}>": "a tag",
    "<a title='x' {}>": "a tag",
    '<a {}="x">': "a tag",
    "<!-- {} -->": "a comment",
    '<a href="javascript:f({})">': "an address of javascript",
    "<a href=' JavaScript:{}'>": "an address of javascript",
    "<a href='java\nscript:{}'>": "an address of javascript",
    '<a href="data:text/html,{}">': "an address of data",
    "{{% assign n = customer.name | default: 'x' %}}<script>{{{{ n }}}}</script>{}": "<script>",
    "{{% capture n %}}x{{% endcapture %}}<script>{{{{ n }}}}</script>{}": "<script>",
    "<script>{{% cycle customer.name, 'b' %}}</script>{}": "<script>",
    "<script>{{% liquid\n echo customer.name %}}</script>{}": "<script>",
}
SAFE = [
    "{}",
    "<p>Dear {}</p>",
    "a < b, 5 <3, {}",
    "<a title='{}' href=\"x\">x</a>",
    '<a href="{}">x</a>',
    '<a href="https://shop.example/?q={}">x</a>',
    "<!DOCTYPE html><title>{}</title><style>p {{ color: red }}</style><script>x</script><p>{}",
    "<!-- a --><!---->{}<br/><br />",
    '<p style="width: {{{{ offer.days }}}}px">{}</p>',
    '<a {{% if customer.name %}}title="{}"{{% endif %}} disabled>{}</a>',
    '<a href="{{% if customer.name %}}{}{{% else %}}https://shop.example{{% endif %}}">x</a>',
    "{{{{ '<b>' }}}}{}{{{{ '</b>' }}}}",
]


def text(template: str) -> Text:
    return Text(template.format(*[NAME] * 3), html=True)


@pytest.mark.parametrize("template", UNSAFE)
def test_a_value_in_an_unsafe_place_is_found(template: str) -> None:
    assert any(UNSAFE[template] in fault for fault in text(template).unsafe), text(template).unsafe


@pytest.mark.parametrize("template", SAFE)
def test_a_value_in_words_or_a_quoted_attribute_is_left_alone(template: str) -> None:
    assert text(template).unsafe == ()


@pytest.mark.parametrize(
    "source",
    [
        '{% if customer.name %}<a href="{% else %}<b title={% endif %}{{ customer.name }}',
        '{% for i in (1..2) %}<a title="{% endfor %}{{ customer.name }}',
        "{% if customer.name %}<script>{% endif %}{{ customer.name }}",
    ],
)
def test_a_branch_ends_in_the_part_in_which_it_began(source: str) -> None:
    assert "a branch begins in words and ends elsewhere" in Text(source, html=True).unsafe


@pytest.mark.parametrize("body", ["<a title={}>", "<script>{}</script>", '<a href="javascript:{}">'])
def test_it_is_an_error_of_the_catalogue_where_the_channel_is_html(body: str) -> None:
    source = body.format("{{ customer.first_name | default: 'x' }}").replace('"', "'")
    old = "\"Dear {{ customer.first_name | default: 'friend' }}, come back.\""
    catalogue = CATALOGUE.replace(old, f'"{source}"')
    assert [f.severity for f in inspect_catalogue(catalogue, VOCABULARY, "shop.yaml")[1]] == ["error"]
    plain = catalogue.replace("html: true", "html: false")
    assert not any(f.severity == "error" for f in inspect_catalogue(plain, VOCABULARY, "shop.yaml")[1])
    unsaid = catalogue.replace(", html: true", "")
    assert [f.severity for f in inspect_catalogue(unsaid, VOCABULARY, "shop.yaml")[1]] == ["error"]


def test_email_is_html_where_nothing_is_said_and_no_other_channel_is() -> None:
    channels = compiled(CATALOGUE.replace(", html: true", "")).catalogue.channels
    assert {name: channel.html for name, channel in channels.items()} == {"email": True, "mail": False}
    channels = compiled(CATALOGUE.replace("html: true", "html: false")).catalogue.channels
    assert not channels["email"].html


LINK = "<a href='{{ customer.first_name | default: 'https://shop.example' }}'>shop</a>"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JavaScript:x",
        "java\tscript:x",
        "\x01javascript:x",
        "data:text/html,x",
        "vbscript:x",
        "x:y",
    ],
)
def test_an_address_that_could_run_a_script_is_not_rendered(address: str) -> None:
    for source in (LINK, LINK.replace("='", "='{% capture u %}").replace("}}'>", "}}{% endcapture %}{{ u }}'>")):
        with pytest.raises(ConditionError, match="no safe address: got 'an address of"):
            Text(source, html=True).render(customer={"first_name": address})


@pytest.mark.parametrize(
    "address", ["https://a.example/?b=c:d", "mailto:a@b.example", "tel:+1", "/cart", "#top", "a b"]
)
def test_any_other_address_is(address: str) -> None:
    assert "<a href='" in Text(LINK, html=True).render(customer={"first_name": address})


def test_a_scheme_that_the_text_itself_uses_is_its_own_business() -> None:
    source = f"<a href='myshop://cart'>app</a>{LINK}"
    assert "myshop" in Text(source, html=True).render(customer={})


def test_the_gate_asks_for_the_address_of_each_customer() -> None:
    old = "\"Dear {{ customer.first_name | default: 'friend' }}, come back.\""
    catalogue = compiled(CATALOGUE.replace(old, f'"{LINK}"'))
    assert reasons(decided(LAPSING, catalogue), "win_back/miss_you/email") == set()
    attacked = having(attributes={"first_name": "javascript:alert(1)"})
    assert reasons(decided(attacked, catalogue), "win_back/miss_you/email") == {"text"}
    assert reasons(decided(attacked, catalogue), "win_back/miss_you/mail") == set()
