//! Texts of invitations as calendars hold them: Outlook's markup around a paragraph, and the block of a meeting service
//! below it. Names, numbers and codes are made up.

/// Whose block stands below the text.
const KINDS: usize = 4;

/// What Outlook writes before the text of a message composed in it.
const HEAD: &str = r##"<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word" xmlns:m="http://schemas.microsoft.com/office/2004/12/omml" xmlns="http://www.w3.org/TR/REC-html40">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta name="Generator" content="Microsoft Word 15 (filtered medium)">
<!--[if !mso]><style>v\:* {behavior:url(#default#VML);}
o\:* {behavior:url(#default#VML);}
w\:* {behavior:url(#default#VML);}
</style><![endif]-->
<style><!--
/* Font Definitions */
@font-face {font-family:"Cambria Math"; panose-1:2 4 5 3 5 4 6 3 2 4;}
@font-face {font-family:Calibri; panose-1:2 15 5 2 2 2 4 3 2 4;}
@font-face {font-family:"Segoe UI"; panose-1:2 11 5 2 4 2 4 2 2 3;}
/* Style Definitions */
p.MsoNormal, li.MsoNormal, div.MsoNormal {margin:0in; font-size:11.0pt; font-family:"Calibri",sans-serif;}
a:link, span.MsoHyperlink {mso-style-priority:99; color:#0563C1; text-decoration:underline;}
span.EmailStyle17 {mso-style-type:personal-compose; font-family:"Calibri",sans-serif; color:windowtext;}
.MsoChpDefault {mso-style-type:export-only; font-size:10.0pt;}
@page WordSection1 {size:8.5in 11.0in; margin:1.0in 1.0in 1.0in 1.0in;}
div.WordSection1 {page:WordSection1;}
--></style>
<!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" /></xml><![endif]-->
</head>
<body lang="EN-US" link="#0563C1" vlink="#954F72" style="word-wrap:break-word">
<div class="WordSection1">
"##;

/// A paragraph as people write it, with links that lead to no meeting.
const PARAGRAPHS: [&str; 4] = [
    "Please find the figures of the last quarter in <a href=\"https://contoso.sharepoint.example/sites/plan/Documents/q3.xlsx?d=w1f2e3\">the workbook</a> and add what is missing on your side before we meet.",
    "Agenda: 1. What was decided last time&nbsp;&nbsp;2. Budget &amp; staff&nbsp;&nbsp;3. Rollout in the north, with the numbers of <b>Lucia</b> and <b>Piet</b>&nbsp;&nbsp;4. Anything else.",
    "The notes are kept at <a href=\"https://wiki.contoso.example/display/PLAN/Minutes+2026\" title=\"Minutes\">https://wiki.contoso.example/display/PLAN/Minutes+2026</a>; write to <a href=\"mailto:office@contoso.example\">office@contoso.example</a> if you cannot open them.",
    "Those who come by train take tram&nbsp;4 to the last stop; there is a room for coats on the ground floor, and lunch is served from 12:15 on.",
];

/// An HTML invitation of about `kib` KiB; `number` decides whose meeting it is and its code.
pub fn html(number: usize, kib: usize) -> String {
    let mut text = HEAD.to_owned();
    let block = block(number);
    for paragraph in PARAGRAPHS.iter().cycle().skip(number) {
        if text.len() + block.len() >= kib * 1024 {
            break;
        }
        text.push_str("<p class=\"MsoNormal\"><span style=\"font-size:11.0pt;mso-fareast-language:EN-US\">");
        text.push_str(paragraph);
        text.push_str("<o:p></o:p></span></p>\n<p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n");
    }
    text.push_str(&block);
    text.push_str("</div>\n</body>\n</html>\n");
    text
}

/// The address that leads into the meeting of [`html`].
pub fn url(number: usize) -> String {
    let code = 100_000_000 + number * 7_919;
    match number % KINDS {
        0 => format!(
            "https://teams.microsoft.com/l/meetup-join/19%3ameeting_{code}%40thread.v2/0?context=%7b%22Tid%22%3a%22c0{code}%22%7d"
        ),
        1 => format!("https://contoso.webex.com/contoso/j.php?MTID=m{code}a0f3"),
        2 => format!("https://contoso.zoom.us/j/{code}?pwd=a{code}Zk"),
        _ => {
            let letter = |place: usize| char::from(b'a' + u8::try_from(code / place % 26).unwrap_or(0));
            let part: String = [1, 7, 49].map(letter).iter().collect();
            format!("https://meet.google.com/{part}-{part}x-{part}")
        }
    }
}

fn block(number: usize) -> String {
    let url = url(number).replace('&', "&amp;");
    let code = 100_000_000 + number * 7_919;
    match number % KINDS {
        0 => format!(
            "<div style=\"width:100%\"><span style=\"white-space:nowrap;color:#5F5F5F\">________________________________________________________________________________</span></div>\n<div class=\"me-email-text\" style=\"color:#252424;font-family:'Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif\" lang=\"en-US\"><div style=\"margin-top:24px;margin-bottom:20px\"><span style=\"font-size:24px;color:#252424\">Microsoft Teams meeting</span></div><div><a class=\"me-email-headline\" style=\"font-size:14px\" href=\"{url}\" target=\"_blank\" rel=\"noreferrer noopener\">Click here to join the meeting</a></div><div>Meeting ID: <span>{code} 55</span><br>Passcode: x{code}</div><div style=\"margin-bottom:24px\"><a href=\"https://aka.ms/JoinTeamsMeeting\">Learn More</a> | <a href=\"https://teams.microsoft.com/meetingOptions/?organizerId=c0{code}&amp;language=en-US\">Meeting options</a></div></div>\n"
        ),
        1 => format!(
            "<table width=\"525\" cellpadding=\"0\" cellspacing=\"0\" align=\"left\"><tr><td style=\"padding:20px 0\"><font size=\"4\" face=\"Arial\"><b>Join from the meeting link</b></font><br><a href=\"{url}\" style=\"color:#005E7D\">{url}</a></td></tr><tr><td>Meeting number (access code): 2{code}<br>Meeting password: pW{code}</td></tr><tr><td>Join from a video system or application<br>Dial <a href=\"sip:2{code}@contoso.webex.com\">2{code}@contoso.webex.com</a></td></tr></table>\n"
        ),
        2 => format!(
            "<p class=\"MsoNormal\">Dana Swope is inviting you to a scheduled Zoom meeting.<o:p></o:p></p>\n<p class=\"MsoNormal\">Join Zoom Meeting<br><a href=\"{url}\">{url}</a><br><br>Meeting ID: {code}<br>Passcode: a{code}<br><br>Join by SIP<br>{code}@zoomcrc.com</p>\n"
        ),
        _ => format!(
            "<p class=\"MsoNormal\">Google Meet joining info<br>Video call link: <a href=\"{url}\">{url}</a><br>Or dial: &#8234;(DE) +49 555 0100195&#8236; PIN: {code}#</p>\n"
        ),
    }
}
