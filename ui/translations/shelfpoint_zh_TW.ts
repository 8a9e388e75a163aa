<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_TW" sourcelanguage="en_US">
<context>
    <name>AccountPage</name>
    <message>
        <source>Nothing on loan. Choose a book you like!</source>
        <translation>目前沒有借書，去挑一本喜歡的吧！</translation>
    </message>
    <message>
        <source>Borrow books</source>
        <translation>我要借書</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
</context>
<context>
    <name>BookRow</name>
    <message>
        <source>Renew</source>
        <translation>續借</translation>
    </message>
    <message>
        <source>Really cancel?</source>
        <translation>確定取消？</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消預約</translation>
    </message>
</context>
<context>
    <name>BookShelf</name>
    <message>
        <source>Books</source>
        <translation>書籍</translation>
    </message>
</context>
<context>
    <name>BorrowPage</name>
    <message>
        <source>Scan the barcode on the book</source>
        <translation>請掃描書上的條碼</translation>
    </message>
    <message>
        <source>The scanner is not working. Please go to the desk.</source>
        <translation>掃描器暫時不能使用，請到服務台</translation>
    </message>
    <message>
        <source>Books you scan appear here.</source>
        <translation>掃描過的書會出現在這裡</translation>
    </message>
    <message>
        <source>My loans</source>
        <translation>我的借閱</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
</context>
<context>
    <name>BottomBar</name>
    <message>
        <source>Help</source>
        <translation>說明</translation>
    </message>
    <message>
        <source>End</source>
        <translation>結束</translation>
    </message>
</context>
<context>
    <name>CameraView</name>
    <message>
        <source>What the camera sees. Hold the code inside the frame.</source>
        <translation>相機看到的畫面。請把條碼放在框內。</translation>
    </message>
</context>
<context>
    <name>CountdownSheet</name>
    <message>
        <source>Are you still there?</source>
        <translation>您還在嗎？</translation>
    </message>
    <message>
        <source>End</source>
        <translation>結束</translation>
    </message>
    <message>
        <source>I am still here</source>
        <translation>我還在，繼續</translation>
    </message>
</context>
<context>
    <name>DonePage</name>
    <message>
        <source>All done</source>
        <translation>都好了</translation>
    </message>
    <message>
        <source>Not yet confirmed: we were offline. You may take the books.</source>
        <translation>尚待確認：剛才離線。書可以帶走，連線後自動確認。</translation>
    </message>
</context>
<context>
    <name>HelpSheet</name>
    <message>
        <source>Hold the barcode on the book under the scanner.</source>
        <translation>把書上的條碼對準掃描器。</translation>
    </message>
    <message>
        <source>Wait until the book appears with a tick.</source>
        <translation>等畫面出現書名和打勾。</translation>
    </message>
    <message>
        <source>Each line is one book, with the day it is due.</source>
        <translation>每一列是一本書，寫著到期日。</translation>
    </message>
    <message>
        <source>Put the book where the screen says, then press &apos;Done&apos;.</source>
        <translation>照畫面說的地方放書，再按「完成」。</translation>
    </message>
    <message>
        <source>Red lines are overdue: please return these first.</source>
        <translation>紅色的已經逾期，請先還。</translation>
    </message>
    <message>
        <source>Press &apos;Renew&apos; to keep a book longer.</source>
        <translation>想多看幾天，就按「續借」。</translation>
    </message>
    <message>
        <source>Choose paper, a QR code, or no slip.</source>
        <translation>選擇要列印、要 QR 碼，或是不用單據。</translation>
    </message>
    <message>
        <source>Take your slip and your card with you.</source>
        <translation>單據和借閱證都要帶走喔。</translation>
    </message>
    <message>
        <source>Nothing printed? Your books are recorded in any case.</source>
        <translation>沒有印出來？借還的紀錄都已經存好了。</translation>
    </message>
    <message>
        <source>Lay your card on the reader until you hear the sound.</source>
        <translation>把借閱證放在感應區，聽到聲音再拿起來。</translation>
    </message>
    <message>
        <source>Scan the barcode on each book, one after the other.</source>
        <translation>一本一本，掃描書上的條碼。</translation>
    </message>
    <message>
        <source>Press &apos;Done&apos; and take a slip if you like.</source>
        <translation>按「完成」，需要的話拿一張單據。</translation>
    </message>
    <message>
        <source>How to return</source>
        <translation>怎麼還書</translation>
    </message>
    <message>
        <source>Your loans</source>
        <translation>您借的書</translation>
    </message>
    <message>
        <source>Your slip</source>
        <translation>您的單據</translation>
    </message>
    <message>
        <source>How to borrow</source>
        <translation>怎麼借書</translation>
    </message>
    <message>
        <source>The desk will gladly help you.</source>
        <translation>服務台的館員很樂意幫您。</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>關閉</translation>
    </message>
</context>
<context>
    <name>IdentifyPage</name>
    <message>
        <source>Then you will see your loans.</source>
        <translation>接著會看到您借的書</translation>
    </message>
    <message>
        <source>Then scan your books.</source>
        <translation>接著就可以掃描要借的書</translation>
    </message>
    <message>
        <source>Only returns for now</source>
        <translation>現在只能還書</translation>
    </message>
    <message>
        <source>Lay your card here</source>
        <translation>請感應借閱證</translation>
    </message>
    <message>
        <source>Scan your library card</source>
        <translation>請掃描借閱證</translation>
    </message>
    <message>
        <source>Please go to the desk</source>
        <translation>請到服務台</translation>
    </message>
    <message>
        <source>The card reader is not working just now.</source>
        <translation>讀卡機暫時不能使用。</translation>
    </message>
    <message>
        <source>EasyCard, iPASS or chip library card: leave it until you hear the sound.</source>
        <translation>悠遊卡、一卡通、晶片借閱證：聽到聲音再拿起。</translation>
    </message>
    <message>
        <source>Or hold the barcode of your card or telephone before the camera.</source>
        <translation>也可以把借閱證或手機上的條碼放到鏡頭前。</translation>
    </message>
    <message>
        <source>Or hold the barcode of your card or telephone under the scanner.</source>
        <translation>也可以用掃描器，掃借閱證或手機上的條碼。</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
</context>
<context>
    <name>Kiosk</name>
    <message>
        <source>Offline just now. Borrowing and returning go on; slips say &apos;not yet confirmed&apos;.</source>
        <translation>目前離線，借書還書照常；單據會註明「尚待確認」。</translation>
    </message>
</context>
<context>
    <name>LinkChip</name>
    <message>
        <source>Online</source>
        <translation>已連線</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>離線</translation>
    </message>
    <message>
        <source>Connecting</source>
        <translation>連線中</translation>
    </message>
</context>
<context>
    <name>MessageSheet</name>
    <message>
        <source>That did not work</source>
        <translation>這次沒有成功</translation>
    </message>
    <message>
        <source>Please note</source>
        <translation>提醒您</translation>
    </message>
    <message>
        <source>Reserve it for me</source>
        <translation>我要預約</translation>
    </message>
    <message>
        <source>All right</source>
        <translation>知道了</translation>
    </message>
</context>
<context>
    <name>OutOfServicePage</name>
    <message>
        <source>One moment, please</source>
        <translation>請稍候</translation>
    </message>
    <message>
        <source>This machine is resting</source>
        <translation>這台機器暫停使用</translation>
    </message>
    <message>
        <source>The desk will help you</source>
        <translation>服務台的館員會幫您</translation>
    </message>
</context>
<context>
    <name>ReturnPage</name>
    <message>
        <source>No card is needed.</source>
        <translation>還書不用借閱證</translation>
    </message>
    <message>
        <source>Scan the books you bring back</source>
        <translation>請掃描要還的書</translation>
    </message>
    <message>
        <source>The scanner is not working. Please go to the desk.</source>
        <translation>掃描器暫時不能使用，請到服務台</translation>
    </message>
    <message>
        <source>Books you scan appear here.</source>
        <translation>掃描過的書會出現在這裡</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
</context>
<context>
    <name>SlipChoice</name>
    <message>
        <source>Would you like a slip with the dates?</source>
        <translation>需要單據嗎？</translation>
    </message>
    <message>
        <source>On paper</source>
        <translation>印在紙上</translation>
    </message>
    <message>
        <source>The printer is not working</source>
        <translation>印表機不能使用</translation>
    </message>
    <message>
        <source>Print</source>
        <translation>列印</translation>
    </message>
    <message>
        <source>Onto your telephone</source>
        <translation>用手機帶走</translation>
    </message>
    <message>
        <source>QR code</source>
        <translation>QR 碼</translation>
    </message>
    <message>
        <source>Saves paper</source>
        <translation>節省紙張</translation>
    </message>
    <message>
        <source>No slip</source>
        <translation>不用單據</translation>
    </message>
</context>
<context>
    <name>SlipQr</name>
    <message>
        <source>Take a picture with your telephone</source>
        <translation>請用手機掃描，把單據帶走</translation>
    </message>
    <message>
        <source>Too many books for a QR code. Please print, or write down the dates.</source>
        <translation>書太多，QR 碼放不下。請列印，或記下日期。</translation>
    </message>
    <message>
        <source>QR code of your slip</source>
        <translation>單據的 QR 碼</translation>
    </message>
    <message>
        <source>Print</source>
        <translation>列印</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>好了，結束</translation>
    </message>
</context>
<context>
    <name>SlipState</name>
    <message>
        <source>The printer did not say whether it printed. Look below it first.</source>
        <translation>印表機沒有回報。請先看一看出紙口。</translation>
    </message>
    <message>
        <source>The printer says nothing to this machine. If no slip comes, print it again or take the QR code.</source>
        <translation>這台印表機不會回報結果。單據沒有出來時，請再印一次，或改用 QR 碼。</translation>
    </message>
    <message>
        <source>Printing</source>
        <translation>列印中，請稍候</translation>
    </message>
    <message>
        <source>Please take your slip</source>
        <translation>請取走單據</translation>
    </message>
    <message>
        <source>Is your slip there?</source>
        <translation>單據出來了嗎？</translation>
    </message>
    <message>
        <source>Your slip is on its way</source>
        <translation>單據送去列印了</translation>
    </message>
    <message>
        <source>The slip was not printed</source>
        <translation>單據沒有印出來</translation>
    </message>
    <message>
        <source>Your books are recorded in any case.</source>
        <translation>放心，借還的紀錄都已經存好了。</translation>
    </message>
    <message>
        <source>Print again</source>
        <translation>再印一次</translation>
    </message>
    <message>
        <source>QR code</source>
        <translation>QR 碼</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>好了，結束</translation>
    </message>
</context>
<context>
    <name>StaffLoginPage</name>
    <message>
        <source>For library staff</source>
        <translation>館員專用</translation>
    </message>
    <message>
        <source>Login</source>
        <translation>帳號</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>密碼</translation>
    </message>
    <message>
        <source>One moment, please</source>
        <translation>請稍候</translation>
    </message>
    <message>
        <source>Log in</source>
        <translation>登入</translation>
    </message>
</context>
<context>
    <name>StaffPage</name>
    <message>
        <source>Printing</source>
        <translation>列印中</translation>
    </message>
    <message>
        <source>Printed.</source>
        <translation>印好了。</translation>
    </message>
    <message>
        <source>Sent; the printer did not say whether it printed.</source>
        <translation>已經送出；印表機沒有說有沒有印好。</translation>
    </message>
    <message>
        <source>Given to the print queue, which says nothing more.</source>
        <translation>已經交給列印佇列，它不會再回報。</translation>
    </message>
    <message>
        <source>This machine</source>
        <translation>這台機器</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>設備</translation>
    </message>
    <message>
        <source>Lay a card on a reader or scan a code to try them out.</source>
        <translation>放一張卡或掃一個條碼，試試看設備。</translation>
    </message>
    <message>
        <source>It is %1: this is right</source>
        <translation>現在是 %1，時間正確</translation>
    </message>
    <message>
        <source>Print this page</source>
        <translation>列印這一頁</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
    <message>
        <source>or choose what you would like to do</source>
        <translation>或選擇您要做的事</translation>
    </message>
    <message>
        <source>The card reader is not working; the barcode of your card works.</source>
        <translation>讀卡機暫時不能使用，可以改掃借閱證上的條碼。</translation>
    </message>
    <message>
        <source>The card reader and the scanner are not working. The desk will gladly help you.</source>
        <translation>讀卡機和掃描器暫時不能使用，服務台很樂意幫您。</translation>
    </message>
    <message>
        <source>Only returns for now</source>
        <translation>現在只能還書</translation>
    </message>
    <message>
        <source>Lay your card here</source>
        <translation>請感應借閱證</translation>
    </message>
    <message>
        <source>Scan your library card</source>
        <translation>請掃描借閱證</translation>
    </message>
    <message>
        <source>Please go to the desk</source>
        <translation>請到服務台</translation>
    </message>
    <message>
        <source>Take books home</source>
        <translation>把書帶回家</translation>
    </message>
    <message>
        <source>Borrow</source>
        <translation>借書</translation>
    </message>
    <message>
        <source>No card needed</source>
        <translation>不用借閱證</translation>
    </message>
    <message>
        <source>Return</source>
        <translation>還書</translation>
    </message>
    <message>
        <source>Due dates and renewing</source>
        <translation>看到期日、續借</translation>
    </message>
    <message>
        <source>My loans</source>
        <translation>我的借閱</translation>
    </message>
</context>
<context>
    <name>Tools</name>
    <message>
        <source>Large text</source>
        <translation>大字</translation>
    </message>
    <message>
        <source>Contrast</source>
        <translation>高對比</translation>
    </message>
    <message>
        <source>Low reach</source>
        <translation>低位</translation>
    </message>
</context>
<context>
    <name>TypingKeys</name>
    <message>
        <source>Erase</source>
        <translation>刪除</translation>
    </message>
    <message>
        <source>Capital letters</source>
        <translation>大寫</translation>
    </message>
    <message>
        <source>Next field</source>
        <translation>下一欄</translation>
    </message>
    <message>
        <source>Other signs</source>
        <translation>其他符號</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>空白</translation>
    </message>
</context>
<context>
    <name>WorkbenchWindow</name>
    <message>
        <source>Workbench: virtual hardware</source>
        <translation>工作臺：虛擬硬體</translation>
    </message>
    <message>
        <source>Cards</source>
        <translation>卡片</translation>
    </message>
    <message>
        <source>Take the card away</source>
        <translation>拿走卡片</translation>
    </message>
    <message>
        <source>Scan</source>
        <translation>掃描</translation>
    </message>
    <message>
        <source>Lay</source>
        <translation>放上</translation>
    </message>
    <message>
        <source>Too short</source>
        <translation>太快拿開</translation>
    </message>
    <message>
        <source>Held to the reader and taken away before it was read</source>
        <translation>靠近感應區，還沒讀到就拿開</translation>
    </message>
    <message>
        <source>Books</source>
        <translation>書籍</translation>
    </message>
    <message>
        <source>Any code</source>
        <translation>任何條碼</translation>
    </message>
    <message>
        <source>The printer&apos;s paper</source>
        <translation>印表機的紙</translation>
    </message>
    <message>
        <source>Switches</source>
        <translation>開關</translation>
    </message>
    <message>
        <source>Network cable</source>
        <translation>網路線</translation>
    </message>
    <message>
        <source>Paper in the printer</source>
        <translation>印表機有紙</translation>
    </message>
    <message>
        <source>Plugged in: {device}</source>
        <translation>接上：{device}</translation>
    </message>
    <message>
        <source>A printed slip</source>
        <translation>一張印好的單據</translation>
    </message>
</context>
</TS>
